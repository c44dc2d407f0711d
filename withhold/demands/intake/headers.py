"""The meanings of column headers. If a header is ambiguous, the content of its column decides."""

from __future__ import annotations

import re

from withhold.demands.intake.entries import Role

_NAMES: dict[Role, str] = {
    Role.SERIAL: "sr no,s no,sno,sl no,slno,srno,serial,serial no,serial number,no,nr,num,number,index,item no,row",
    Role.TARGET: "url,urls,link,links,uri,twitter url,x url,profile url,tweet url,post url,account url,content url,"
    "profile link,tweet link,account link,link of tweet,url of tweet,target,targets,url link",
    Role.HANDLE: "handle,handles,username,usernames,screen name,screenname,twitter handle,x handle,account handle,"
    "user handle,twitter username",
    Role.ACCOUNT_ID: "account id,user id,userid,accountid,account ids,user ids",
    Role.TWEET_ID: "tweet id,tweetid,status id,post id,tweet ids,post ids,status ids",
    Role.HASHTAG: "hashtag,hashtags",
    Role.OTHER: "remark,remarks,reason,reasons,date,name,display name,description,content,text,tweet text,category,"
    "ministry,department,ground,grounds,comment,comments,followers,platform,language,state,author,author id,type",
}
_MEANINGS = {name: role for role, names in _NAMES.items() for name in names.split(",")}
#: Headers that name the subject of a column, but not its form.
_UNSURE = {
    **dict.fromkeys(("account", "accounts", "user", "users", "profile", "twitter account", "twitter"), Role.HANDLE),
    **dict.fromkeys(("tweet", "tweets", "post", "posts", "status"), Role.TWEET_ID),
    **dict.fromkeys(("id", "ids", "twitter id"), Role.TARGET),
}


def plain(header: str) -> str:
    """Return a header in lower case, without punctuation.

    >>> plain("Sr. No."), plain("URL(s)")
    ('sr no', 'url s')
    """
    return " ".join(re.sub(r"[\W_]+", " ", header.lower()).split())


def meaning(header: str) -> Role | None:
    """Return the role that a header gives its column, or None."""
    return _MEANINGS.get(plain(header))


def likely(header: str) -> Role | None:
    """Return the role of a column with targets that has this header, or None."""
    return _UNSURE.get(plain(header))


def is_header(text: str) -> bool:
    """Return whether text is one of the headers that are known."""
    return plain(text) in _MEANINGS or plain(text) in _UNSURE

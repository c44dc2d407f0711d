from typing import Generic, TypeVar, final

_V = TypeVar("_V")

def parse(text: object) -> int | None: ...

@final
class FastPath(Generic[_V]):
    def __new__(cls, path: object, viewer: type[_V]) -> FastPath[_V]: ...
    def viewer(
        self, peer: object, headers: object, account_id: int | None, account_country: str | None, /
    ) -> _V | None: ...

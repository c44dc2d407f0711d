"""A feed service to copy: a home timeline, tweets and profiles on FastAPI, in JSON and as pages."""

from tests.store.fixtures import postgres, sqlite_store, store, url

__all__ = ["postgres", "sqlite_store", "store", "url"]

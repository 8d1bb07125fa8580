from tests.anchoring.house import house

__all__ = ["house"]

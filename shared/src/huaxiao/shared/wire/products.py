"""The kinds of product that a line may be of."""

from enum import StrEnum


class Product(StrEnum):
    """What a customer has subscribed to."""

    BROADBAND = "broadband"
    VOICE = "voice"
    TV = "tv"
    MOBILE = "mobile"
    LEASED_LINE = "leased_line"
    IOT = "iot"
    OTHER = "other"

"""What may be attached to an order: told by the content itself, whatever its sender calls it."""

from http import HTTPStatus

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.orders import AttachmentKind

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
_IMAGES = frozenset({JPEG, PNG, WEBP})
ACCEPTED = {
    AttachmentKind.BEFORE: _IMAGES,
    AttachmentKind.AFTER: _IMAGES,
    AttachmentKind.SIGNATURE: _IMAGES | {PDF},
}
"""Media types of each kind: a photo is an image, a signature may be on a form."""

_LENGTH_BYTES = 2
"""A segment's length counts the bytes that say it."""


class UnsupportedContent(Problem):
    """The content is of no type that this kind of attachment may have."""

    code = "unsupported-content"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "This content is of no type that is accepted here"
    title_zh = "不接受该类型的文件内容"


class AttachmentTooLarge(Problem):
    """The content is larger than an attachment may be."""

    code = "attachment-too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The attachment is too large"
    title_zh = "附件过大"


class AttachmentErased(Problem):
    """What the attachment showed is erased: its customer asked for it, or it need not be kept."""

    code = "attachment-erased"
    status = HTTPStatus.GONE
    title = "What this attachment showed has been erased"
    title_zh = "该附件的内容已被删除"


def media_type_of(content: bytes) -> str | None:
    """Return what a content is, by how its format begins and that its end is there; None of others.

    Phones append what is theirs behind the end of a picture, such as the film of a moving photo.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG if _is_whole_jpeg(content) else None
    if content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"):
        return PNG if b"IEND\xaeB`\x82" in content else None
    if content[:4] == b"RIFF" and content[8:16] in {b"WEBPVP8 ", b"WEBPVP8L", b"WEBPVP8X"}:
        # The length counts what follows it, so that a file cut short is seen.
        return WEBP if int.from_bytes(content[4:8], "little") + 8 <= len(content) else None
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-1024:] else None
    return None


def _is_whole_jpeg(content: bytes) -> bool:
    """Say whether the end of a picture is there, and not only that of a smaller one within it.

    A segment says how long it is, up to the one behind which the picture itself comes.
    """
    at = 2
    while content[at : at + 1] == b"\xff":
        marker = content[at + 1 : at + 2]
        if marker == b"\xff":  # filling
            at += 1
            continue
        if marker == b"\xd9":
            return True
        if marker == b"\xda":
            return content.find(b"\xff\xd9", at) >= 0
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < _LENGTH_BYTES:
            return False
        at += 2 + length
    return False


def accepted_type(name: str, kind: AttachmentKind, content: bytes, *, most_bytes: int) -> str:
    """Return the media type of an attachment.

    Raises:
        AttachmentTooLarge: it has more bytes than that.
        UnsupportedContent: it is of no type that the kind may have.

    """
    if len(content) > most_bytes:
        raise AttachmentTooLarge(
            f"{name} has {len(content)} bytes; {most_bytes} are accepted.",
            f"{name} 有 {len(content)} 字节，至多 {most_bytes} 字节。",
            name=name,
            most_bytes=most_bytes,
        )
    found = media_type_of(content)
    if found not in ACCEPTED[kind]:
        accepted = sorted(ACCEPTED[kind])
        raise UnsupportedContent(
            f"{name} is {found or 'none of these'}; {kind} takes {', '.join(accepted)}.",
            f"{name} 的内容为 {found or '其他类型'}；{kind} 接受 {'、'.join(accepted)}。",
            name=name,
            found=found,
            accepted=accepted,
        )
    return found

"""Addresses of Argilla's page for annotators: what they see there, and in which order."""

from urllib.parse import urlsplit

from spanloop.argilla.shape import PRIORITY, SUSPICION


def queue_link(api_url: str, dataset_id: str) -> str:
    """The page that annotators work on: pending records, highest priority first.

    Without the sort in the address, Argilla shows every annotator a random order.
    """
    return _page(api_url, dataset_id, f"status=pending&sort=metadata.{PRIORITY}.desc")


def review_link(api_url: str, dataset_id: str) -> str:
    """The page that shows annotators what is suspicious of the records that they submitted, the worst first."""
    suspicious = f"sort=metadata.{SUSPICION}.desc&metadata={SUSPICION}.ge0.01.le1"
    return _page(api_url, dataset_id, f"status=submitted&{suspicious}")


def _page(api_url: str, dataset_id: str, query: str) -> str:
    parts = urlsplit(api_url.rstrip("/"))
    place = parts._replace(netloc=parts.netloc.rpartition("@")[2])  # a password in the address is not for everybody
    path = f"dataset/{dataset_id}/annotation-mode"
    return f"{place.geturl()}/{path}?page=1&{query}"

"""Annotators' accounts, made with Argilla's SDK, and their names."""

import secrets
from typing import TYPE_CHECKING

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef, workspace_handle
from spanloop.errors import ArgillaError

if TYPE_CHECKING:
    import argilla as rg


def annotator_key(owner: ArgillaClient, dataset: DatasetRef, username: str) -> str:
    """The API key of an annotator who is a member of the dataset's workspace; the account is created if missing.

    Nobody logs in to an account made here: its password is thrown away, its key does the work.

    Args:
        owner: A connection of the owner; only the owner may create accounts.
        dataset: What is to be annotated.
        username: Name of the account.

    Raises:
        ArgillaUnauthorized: The key is not the owner's.
        ArgillaError: An account of that name exists and is no annotator's.
    """
    import argilla as rg

    from spanloop.argilla.sdk import sdk_errors

    with sdk_errors(owner.url):
        workspace = workspace_handle(owner, dataset.workspace_id)
        title = username.replace("-", " ").capitalize()
        wanted = rg.User(username, first_name=title, password=secrets.token_urlsafe(24), client=owner.sdk)

        def find() -> "rg.User | None":
            return _named(owner.sdk.users.list(), username)

        user = find() or owner.once(wanted.create, find)
        if user.role != "annotator":
            role = user.role.value
            raise ArgillaError(f"account {username!r} has the role {role}; simulated annotators must be annotators")

        def find_member() -> "rg.User | None":
            return _named(workspace.users, username)

        if find_member() is None:
            owner.once(lambda: user.add_to_workspace(workspace), find_member)
        return str(owner.get(f"users/{user.id}")["api_key"])  # the SDK's users have no key


def user_names(client: ArgillaClient) -> dict[str, str]:
    """User names by id, where the key may list users; only owners may."""
    try:
        return {user["id"]: user["username"] for user in client.get("users")["items"]}
    except (ArgillaError, KeyError, TypeError):
        return {}


def _named(users: "list[rg.User]", username: str) -> "rg.User | None":
    return next((user for user in users if user.username == username), None)

"""Publish a snapshot on the Hugging Face Hub, with its version as a tag."""

from pathlib import Path

from spanloop.errors import StoreError, first_line
from spanloop.snapshot.table import load_splits, quiet_progress_bars
from spanloop.store.artifacts import read_manifest, verify_artifact

_FILES = ["README.md", "manifest.json", "changes.json"]


def push_to_hub(snapshot: Path, repo_id: str, *, private: bool = True) -> bool:
    """Publish a snapshot as a tagged commit of a dataset on the Hub; one that has its tag there already stays.

    The token comes from where the Hub's own client looks for it: `HF_TOKEN`, or `hf auth login`.

    Args:
        snapshot: The snapshot's folder in the store.
        repo_id: Dataset on the Hub, e.g. `team/patents`; created if need be.
        private: Create it as private.

    Returns:
        True if it was pushed now, False if it was there.

    Raises:
        StoreError: The snapshot is corrupt, or the Hub refuses or does not answer; the snapshot in the store is as it
            was, and pushing again goes on from there.
    """
    from huggingface_hub import HfApi

    verify_artifact(snapshot)
    version = str(read_manifest(snapshot)["version"])
    api = HfApi()
    try:
        api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        if version in {tag.name for tag in api.list_repo_refs(repo_id, repo_type="dataset").tags}:
            return False
        with quiet_progress_bars():
            # The card first: pushing the splits adds to its head what the Hub's viewer needs.
            api.upload_folder(
                repo_id=repo_id,
                repo_type="dataset",
                folder_path=snapshot,
                allow_patterns=_FILES,
                commit_message=version,
            )
            commit = load_splits(snapshot).push_to_hub(repo_id, commit_message=version, private=private)
        api.create_tag(repo_id, repo_type="dataset", tag=version, revision=commit.oid, exist_ok=True)
    except Exception as error:  # the errors of the client and of its transport have no base of their own
        reason = first_line(error)
        raise StoreError(
            f"{version} is in the store but not on the Hub as {repo_id}: {reason}; check HF_TOKEN and hub.push_to_hub"
        ) from error
    return True

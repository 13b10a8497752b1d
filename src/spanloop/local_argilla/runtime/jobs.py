"""The jobs that argilla_server writes as if they had a process to themselves: here they leave the loop free.

Each is the function of the same name in `argilla_server.jobs`, with its blocking call in a thread.
"""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from argilla_server.api.schemas.v1.datasets import HubDatasetMapping
from argilla_server.contexts.hub import BATCH_SIZE, HubDataset, HubDatasetExporter
from argilla_server.database import AsyncSessionLocal
from argilla_server.jobs.hub_jobs import HUB_DATASET_TAKE_ROWS
from argilla_server.models import Dataset, Webhook
from argilla_server.search_engine.base import SearchEngine
from argilla_server.settings import settings
from argilla_server.webhooks.v1.commons import notify_event
from sqlalchemy.orm import selectinload

from . import queues


def install() -> None:
    """Have the queues run these."""
    queues.replace("argilla_server.jobs.webhook_jobs.notify_event_job", notify_event_job)
    queues.replace("argilla_server.jobs.hub_jobs.import_dataset_from_hub_job", import_dataset_from_hub_job)
    queues.replace("argilla_server.jobs.hub_jobs.export_dataset_to_hub_job", export_dataset_to_hub_job)


async def notify_event_job(webhook_id: UUID, event: str, timestamp: datetime, data: dict[str, Any]) -> None:
    """Call one webhook. It may well call back: on the loop, both sides would wait for each other."""
    async with AsyncSessionLocal() as db:
        webhook = await Webhook.get_or_raise(db, webhook_id)
    response = await asyncio.to_thread(notify_event, webhook, event, timestamp, data)
    response.raise_for_status()


async def import_dataset_from_hub_job(
    name: str, subset: str, split: str, dataset_id: UUID, mapping: dict[str, Any]
) -> None:
    """Import rows of a Hub data set, in the batches that argilla_server takes."""
    async with AsyncSessionLocal() as db, SearchEngine.get_by_name(settings.search_engine) as engine:
        dataset = await _dataset(db, dataset_id)
        if not dataset.is_ready:
            raise ValueError("it's not possible to import records to a non published dataset")
        parsed = HubDatasetMapping.model_validate(mapping)
        hub = await asyncio.to_thread(HubDataset, name, subset, split, parsed)
        batches = iter(hub.take(HUB_DATASET_TAKE_ROWS).dataset.batch(batch_size=BATCH_SIZE))
        while batch := await asyncio.to_thread(next, batches, None):
            await hub._import_batch_to(db, engine, batch, dataset)


async def export_dataset_to_hub_job(  # noqa: PLR0917 - argilla_server's signature
    name: str, subset: str, split: str, private: bool, token: str, dataset_id: UUID
) -> None:
    """Export a data set to the Hub."""
    async with AsyncSessionLocal() as db:
        dataset = await _dataset(db, dataset_id)
    await asyncio.to_thread(HubDatasetExporter(dataset).export_to, name, subset, split, private, token)


async def _dataset(db: Any, dataset_id: UUID) -> Dataset:
    parts = (Dataset.fields, Dataset.questions, Dataset.metadata_properties, Dataset.vectors_settings)
    return await Dataset.get_or_raise(db, dataset_id, options=[selectinload(part) for part in parts])

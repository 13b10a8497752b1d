"""Settings of what people do: where and what they annotate, and how their responses become one annotation."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from spanloop.config.section import Section

LabelName = Annotated[str, Field(min_length=1, max_length=100)]
Meaning = Annotated[str, Field(max_length=100)]


class ArgillaConfig(Section):
    """Where people annotate."""

    api_url: str = Field("http://127.0.0.1:6900", pattern=r"^https?://", description="Address of the Argilla server.")
    api_key_env: str = Field("ARGILLA_API_KEY", description="Environment variable that holds the API key.")
    api_key_block: str = Field("", description="Prefect Secret block with the API key, where the variable has none.")
    workspace: str = Field("spanloop", min_length=1, max_length=200, description="Workspace; created if missing.")
    dataset: str = Field("spans", min_length=1, max_length=200, description="Argilla dataset that is annotated.")
    timeout_seconds: float = Field(60.0, gt=0, le=600, description="Longest wait for one answer of the server.")
    find_similar: bool = Field(
        False,
        description="Give Argilla each record's embedding: its page then finds similar records. About 3 KB a record.",
    )
    foreign_suggestions: Literal["replace", "keep"] = Field(
        "replace",
        description="Suggestions of another tool or store: replaced by the model's, where records are annotated blind "
        "by none; or kept and only ordered.",
    )

    @field_validator("api_url")
    @classmethod
    def _is_an_address(cls, api_url: str) -> str:
        try:
            parts = urlsplit(api_url)
            is_whole = bool(parts.hostname) and parts.port != 0
        except ValueError as error:
            raise ValueError(f"is no address ({error}); it is e.g. http://127.0.0.1:6900") from None
        if not is_whole or parts.query or parts.fragment or parts.path.rstrip("/").endswith(("/api", "/api/v1")):
            raise ValueError("is not where Argilla's page is; that is e.g. http://127.0.0.1:6900, without /api")
        return api_url


class TaskConfig(Section):
    """What is annotated, and how it appears in Argilla."""

    labels: list[LabelName] = Field(
        default_factory=list, max_length=200, description="Span labels, in the order in which annotators see them."
    )
    mapping: dict[str, Meaning] = Field(
        default_factory=dict,
        description="What became of labels of the past, in answers and models alike: {old: new} renames, two of one "
        "new label merge, {old: ''} leaves out. 'spanloop labels' shows what is in use.",
    )
    guidelines: str = Field("", description="Guidelines that annotators see, in markdown.")
    text_field: str = Field("text", pattern=r"^[a-z0-9_-]+$", description="Name of the Argilla field with the text.")
    question: str = Field("entities", pattern=r"^[a-z0-9_-]+$", description="Name of the Argilla span question.")
    allow_overlapping: bool = Field(False, description="May annotators mark overlapping spans?")
    blind_held_out: bool = Field(
        True,
        description="Validation and test records get no suggestion: what judges a model must not lean to its guesses.",
    )
    min_submitted: int = Field(1, ge=1, le=50, description="Submitted responses that complete a record.")

    @model_validator(mode="after")
    def _labels_are_unique(self) -> "TaskConfig":
        if twice := sorted({x for x in self.labels if self.labels.count(x) > 1}):
            raise ValueError(f"labels: {twice[0]!r} stands twice; every label once")
        return self

    @model_validator(mode="after")
    def _mapping_leads_to_labels(self) -> "TaskConfig":
        for old, new in self.mapping.items():
            if old in self.labels:
                raise ValueError(
                    f"mapping: {old!r} is in labels too, where it means itself; take it out of one of them"
                )
            if new and new not in self.labels:
                raise ValueError(f"mapping: {old!r} leads to {new!r}, which is not in labels; add it there")
        return self

    def meaning_of(self, label: str) -> str | None:
        """What an option of the question, or a label of a model of the past, means for the project.

        Args:
            label: Any label.

        Returns:
            A label of the project, which means itself; "" for what is left out; None for one that nothing is said of.
        """
        return label if label in self.labels else self.mapping.get(label)


class ColumnsConfig(Section):
    """Which columns of an imported file hold what."""

    text: str = Field("text", min_length=1, description="Column with the text.")
    id: list[str] = Field(
        default_factory=lambda: ["id"],
        description="Columns that together identify a record, joined by '/'; absent: a hash of group and text.",
    )
    group: str = Field("group", description="Column with the document a record belongs to; absent: the record itself.")
    spans: str = Field("spans", description="Column with spans (start, end, label), where the file is annotated.")


class AnnotationConfig(Section):
    """How the responses of several annotators become one annotation."""

    strategy: Literal["latest", "majority", "intersection"] = Field(
        "latest",
        description="latest: the response changed last; majority: spans marked by more than half of the annotators; "
        "intersection: spans marked by all.",
    )
    overlaps: Literal["longest", "first", "error"] = Field(
        "longest", description="Which span stays where spans overlap: the longest, the first, or none: the round stops."
    )
    whitespace: Literal["trim", "keep"] = Field(
        "trim", description="White space that annotators marked at the edges of a span: taken off, or kept as marked."
    )

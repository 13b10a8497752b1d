"""Settings of what is kept, and for how long."""

from pydantic import Field

from spanloop.config.section import Section


class RetentionConfig(Section):
    """What is kept; older goes at the beginning of a round. In service, before that, and pinned always stays."""

    models: int = Field(8, ge=0, description="Newest models that are kept; 0: all.")
    snapshots: int = Field(20, ge=0, description="Newest snapshots that are kept, beside those of kept models; 0: all.")
    rounds: int = Field(100, ge=0, description="Newest records of rounds that are kept; 0: all.")
    run_days: int = Field(90, ge=1, le=3650, description="Days for which `spanloop up` keeps runs in Prefect.")

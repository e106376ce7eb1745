"""JHE's reference data, as its seed command has it: written again at every call, and lost where people edited it."""

from __future__ import annotations

from core.models import CodeableConcept, DataSource, DataSourceSupportedScope


class Command:
    """The two methods that the bootstrap script calls."""

    @staticmethod
    def seed_codeable_concepts() -> None:
        """Write the concepts."""
        for code in ("heart-rate", "step-count"):
            CodeableConcept.objects.update_or_create(
                coding_system="https://example.org/omh", coding_code=code, text=code
            )

    def seed_data_sources(self) -> None:
        """Write the data sources, and what each can measure."""
        source, _ = DataSource.objects.update_or_create(name="Watch", type="personal_device")
        scope = CodeableConcept.objects.get(coding_code="heart-rate")
        DataSourceSupportedScope.objects.get_or_create(data_source=source, scope_code=scope)

"""JHE's `seed`, as far as the Jobs touch it: reference data that can be written again, and demonstration data, once."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from oauth2_provider.models import get_application_model

from core.models import CodeableConcept, DataSource, DataSourceSupportedScope, JheSetting, JheUser, Organization


class Command(BaseCommand):
    """The two methods that the bootstrap script calls, and the command of the demo-data script."""

    @staticmethod
    def seed_codeable_concepts() -> None:
        """Write the concepts: again at every call, and in the way of those that people edited."""
        for code in ("heart-rate", "step-count"):
            CodeableConcept.objects.update_or_create(
                coding_system="https://example.org/omh", coding_code=code, text=code
            )

    def seed_data_sources(self) -> None:
        """Write the data sources, and what each can measure."""
        source, _ = DataSource.objects.update_or_create(name="Watch", type="personal_device")
        scope = CodeableConcept.objects.get(coding_code="heart-rate")
        DataSourceSupportedScope.objects.get_or_create(data_source=source, scope_code=scope)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the option that the demo-data script knows."""
        parser.add_argument("--with-rich-demo", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it all; a second time it fails on ROOT, or on the superuser."""
        with transaction.atomic():
            JheUser.objects.create_superuser(email="admin@example.com", password="Jhe1234!")
            self.invite_code("jhe")
            self.seed_codeable_concepts()
            self.seed_data_sources()
            root = Organization.objects.create(id=0, name="ROOT", type="root")
            Organization.objects.create(id=20003, name="Lifespan Lab", type="laboratory", part_of=root)
            self.applications()
        if options["with_rich_demo"]:
            JheUser.objects.create(email="may.nguyen@example.com", password="!")

    def invite_code(self, code: str) -> None:
        """Write the code that everybody knows."""
        setting = JheSetting(key="site.registration_invite_code")
        setting.set_value("string", code)
        setting.save()

    def applications(self) -> None:
        """Make the UI's application, and the one with a published secret."""
        common = {"skip_authorization": True, "algorithm": "RS256"}
        model = get_application_model()
        model.objects.create(
            name="JHE Admin UI",
            client_type="public",
            authorization_grant_type="authorization-code",
            redirect_uris="http://localhost:8000/auth/callback",
            **common,
        )
        model.objects.create(
            name="SoF EHR Launch",
            client_id="sof-ehr-launch",
            client_secret=os.environ.get("SOF_EHR_LAUNCH_CLIENT_SECRET", "sof-ehr-launch-dev-secret"),
            client_type="confidential",
            authorization_grant_type="client-credentials",
            **common,
        )

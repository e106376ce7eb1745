"""What the bootstrap script touches of JHE: the fields of its models, and how they hold together (facts, no copy)."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class JheUserManager(BaseUserManager["JheUser"]):
    def create_superuser(self, email: str, password: str) -> JheUser:
        """Make a superuser, who is a practitioner too: in JHE a signal sees to that."""
        user = self.model(email=self.normalize_email(email), is_superuser=True)
        user.set_password(password)
        user.save(using=self._db)
        Practitioner.objects.create(jhe_user=user)
        return user


class JheUser(AbstractBaseUser):
    email = models.EmailField(unique=True)
    email_is_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    objects = JheUserManager()


class Organization(models.Model):
    name = models.CharField()
    type = models.CharField()
    part_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True)
    last_updated = models.DateTimeField(auto_now=True)


class Practitioner(models.Model):
    jhe_user = models.OneToOneField(JheUser, on_delete=models.CASCADE)


class PractitionerOrganization(models.Model):
    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    role = models.CharField(default="viewer")

    class Meta:
        """What is unique."""

        unique_together = (("practitioner", "organization"),)


OLD = os.environ.get("JHE_SHAPE") == "v0.0.11"


class JheSetting(models.Model):
    """A setting. Up to v0.0.11 the same key could also have rows of single clients."""

    key = models.CharField(unique=not OLD)
    if OLD:
        setting_id = models.IntegerField(null=True, blank=True)
    value_type = models.CharField(max_length=10)
    value_string = models.TextField(null=True)
    value_int = models.IntegerField(null=True)
    value_bool = models.BooleanField(null=True)
    value_float = models.FloatField(null=True)
    value_json = models.JSONField(null=True)
    last_updated = models.DateTimeField(auto_now=True)

    def get_value(self) -> Any:
        """Return the value of the type that the row says."""
        return getattr(self, f"value_{self.value_type}")

    def set_value(self, value_type: str, value: Any) -> None:
        """Keep one value, and clear those of the other types."""
        for each in ("string", "int", "bool", "float", "json"):
            setattr(self, f"value_{each}", value if each == value_type else None)
        self.value_type = value_type


class CodeableConcept(models.Model):
    coding_system = models.CharField()
    coding_code = models.CharField()
    text = models.CharField()

    class Meta:
        """What is unique."""

        unique_together = (("coding_system", "coding_code"),)


class DataSource(models.Model):
    name = models.CharField(null=True)
    type = models.CharField()
    last_updated = models.DateTimeField(auto_now=True)


class DataSourceSupportedScope(models.Model):
    data_source = models.ForeignKey(DataSource, on_delete=models.CASCADE)
    scope_code = models.ForeignKey(CodeableConcept, on_delete=models.CASCADE)

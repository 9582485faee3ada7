from pathlib import Path

import pytest

from extrophi_backend.accounts.known import ACCOUNTS, SETTINGS
from extrophi_backend.accounts.models import Account
from extrophi_backend.settings import Settings

DOCS = Path(__file__).parents[3] / "docs" / "platforms"


@pytest.mark.parametrize("account", [one for one in ACCOUNTS.values() if one.kinds], ids=lambda one: one.platform)
def test_the_docs_say_the_same(account: Account) -> None:
    page = " ".join((DOCS / f"{account.platform}.md").read_text().split())
    assert account.how in page


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=lambda one: one.platform)
def test_each_way_is_of_credentials_that_there_are(account: Account) -> None:
    assert frozenset[str]().union(*account.ways) <= {kind.name for kind in account.kinds}


def test_each_credential_is_a_setting_that_is_a_secret() -> None:
    fields = {str(field.validation_alias): field for field in Settings.model_fields.values()}
    assert set(SETTINGS) <= set(fields)
    assert all("SecretStr" in str(fields[setting].annotation) for setting in SETTINGS)

"""The owner account, as the credentials file says it."""

from argilla_server.contexts import accounts
from argilla_server.database import AsyncSessionLocal
from argilla_server.enums import UserRole
from argilla_server.models import User

from .options import Options


async def ensure_owner(options: Options) -> None:
    """Create the owner, or give an existing one the key of the file.

    The API key can be changed nowhere else, so another key means that the credentials were made anew: then the
    password follows too. With the same key it is left alone, since its owner may have changed it in the web UI.
    """
    async with AsyncSessionLocal() as db:
        user = await accounts.get_user_by_username(db, options.username)
        if user is None:
            await User.create(
                db,
                first_name=options.username,
                username=options.username,
                role=UserRole.owner,
                password_hash=accounts.hash_password(options.password),
                api_key=options.api_key,
            )
        elif user.api_key != options.api_key:
            password_hash = accounts.hash_password(options.password)
            await user.update(db, api_key=options.api_key, password_hash=password_hash, role=UserRole.owner)

"""What the sign-in pages say, in the languages of the console."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """`{}` in `new_password` is its least length, in `too_many` the minutes to wait."""

    sign_in: str
    name: str
    password: str
    wrong: str
    first_administrator: str
    why_set_up: str
    token: str
    new_password: str
    set_up: str
    too_many: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        sign_in="Sign in",
        name="Name",
        password="Password",  # noqa: S106 - a label
        wrong="Name or password is wrong.",
        first_administrator="First administrator",
        why_set_up="Nobody can sign in yet. The coordinator printed a one-time token when it started.",
        token="Token",  # noqa: S106
        new_password="New password, {} characters or more",  # noqa: S106
        set_up="Set up",
        too_many="Too many wrong tries came from there. Wait {} minutes and try again.",
    ),
    "de": Words(
        sign_in="Anmelden",
        name="Name",
        password="Passwort",  # noqa: S106
        wrong="Name oder Passwort ist falsch.",
        first_administrator="Erste Verwaltung",
        why_set_up="Noch kann sich niemand anmelden. Der Server hat beim Start einen Einmalcode ausgegeben.",
        token="Einmalcode",  # noqa: S106
        new_password="Neues Passwort, mindestens {} Zeichen",  # noqa: S106
        set_up="Einrichten",
        too_many="Von dort kamen zu viele falsche Versuche. In {} Minuten geht es wieder.",
    ),
    "es": Words(
        sign_in="Iniciar sesión",
        name="Nombre",
        password="Contraseña",  # noqa: S106
        wrong="El nombre o la contraseña no son correctos.",
        first_administrator="Primera cuenta de administración",
        why_set_up="Nadie puede entrar todavía. El servidor mostró un código de un solo uso al arrancar.",
        token="Código",  # noqa: S106
        new_password="Contraseña nueva, {} caracteres o más",  # noqa: S106
        set_up="Crear",
        too_many="Llegaron demasiados intentos fallidos desde ahí. Vuelva a probar en {} minutos.",
    ),
    "fr": Words(
        sign_in="Se connecter",
        name="Nom",
        password="Mot de passe",  # noqa: S106
        wrong="Le nom ou le mot de passe est faux.",
        first_administrator="Premier compte d\u2019administration",
        why_set_up="Personne ne peut encore se connecter. Le serveur a affiché un code à usage unique au démarrage.",
        token="Code",  # noqa: S106
        new_password="Nouveau mot de passe, {} caractères ou plus",  # noqa: S106
        set_up="Créer",
        too_many="Trop d\u2019essais faux sont venus de là. Réessayez dans {} minutes.",
    ),
    "pt": Words(
        sign_in="Iniciar sessão",
        name="Nome",
        password="Palavra-passe",  # noqa: S106
        wrong="O nome ou a palavra-passe está errado.",
        first_administrator="Primeira conta de administração",
        why_set_up="Ainda ninguém pode entrar. O servidor mostrou um código de uso único ao arrancar.",
        token="Código",  # noqa: S106
        new_password="Nova palavra-passe, {} caracteres ou mais",  # noqa: S106
        set_up="Criar",
        too_many="Vieram daí demasiadas tentativas erradas. Tente de novo dentro de {} minutos.",
    ),
}


def language_of(accepted: str) -> str:
    """The first language of an Accept-Language header that we have; English otherwise. The best comes first."""
    for wish in accepted.split(","):
        language = wish.partition(";")[0].strip().lower().partition("-")[0]
        if language in WORDS:
            return language
    return "en"

"""The application factory: puts the shell's parts together around one database.

Called by `web/server.py` after each worker has started, and by tests. There is no application at
module level.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from item_bank.store.database import Database, watched
from web.access import check_audiences, init_access
from web.accounts.views import accounts
from web.assets import init_assets
from web.banks.register import banks
from web.beats import init_hearing
from web.calibrations.views import calibrations
from web.candidate.conduct import conduct
from web.candidate.exam import exam
from web.candidate.invigilated import invigilated
from web.candidate.media import media
from web.candidate.practice import practice
from web.candidate.results import own_results
from web.candidate.views import candidate
from web.cohorts.views import cohorts
from web.compression import init_compression
from web.corrections.register import corrections
from web.documents.register import documents
from web.errors import init_errors
from web.examiner.exams import exams
from web.examiner.register import examiner
from web.figures.register import init_figures
from web.foreign import init_foreign
from web.formats import init_formats
from web.health import health
from web.invigilator.register import rooms
from web.language import init_language
from web.logs import init_logs
from web.metrics import init_metrics, metrics, observe
from web.questions import init_questions
from web.results.views import results
from web.security import init_security
from web.sessions import PatientSessions
from web.settings import Settings
from web.site import Site, keep_site
from web.standards.register import standards
from web.style_guide import style_guide
from web.verify.views import verify
from web.work.exports import exports
from web.work.views import work
from web.work.words import init_work


def create_app(db: Database, settings: Settings) -> Flask:
    """Build the site on a database."""
    app = Flask("web")
    app.session_interface = PatientSessions()
    _configure(app, db, settings)
    keep_site(app, Site(watched(db, observe), settings))
    init_hearing(app)
    Htmx(app)
    for init in (
        init_logs,
        init_metrics,
        init_access,
        init_language,
        init_formats,
        init_figures,
        init_questions,
        init_work,
    ):
        init(app)
    init_assets(app)
    init_compression(app)
    init_security(app, settings)
    CSRFProtect(app)  # after the gate: an ended session leads to sign-in, not to an error
    init_errors(app)
    init_foreign(app)
    _register(app, settings)
    check_audiences(app)
    return app


def _configure(app: Flask, db: Database, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=db.secrets().session,
        SESSION_COOKIE_NAME="__Host-tarozu" if settings.secure_cookies else "tarozu",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        MAX_CONTENT_LENGTH=settings.max_request_kib * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: an exam page may stay open for hours
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _register(app: Flask, settings: Settings) -> None:
    for blueprint in (
        *(health, metrics),
        *(candidate, exam, own_results, conduct, invigilated, media, practice),
        examiner,
        accounts,
        exams,
        cohorts,
        standards,
        banks,
        rooms,
        documents,
        work,
        exports,
        calibrations,
        results,
        verify,
        corrections,
    ):
        app.register_blueprint(blueprint)
    if settings.debug:
        app.register_blueprint(style_guide)

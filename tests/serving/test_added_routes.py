"""Routes that a project adds to the applications: the framework answers them as usual, the contract stays as it is."""


from tests.serving.running import running

FASTAPI_MODULE = """
from fastapi import HTTPException
from ml_project.web import fastapi_app

def make():
    app = fastapi_app()

    @app.get("/double/{number}", summary="Twice a number")
    def double(number: int) -> dict[str, int]:
        if number > 100:
            raise HTTPException(418, "too much")
        return {"doubled": 2 * number}

    return app
"""
MIDDLEWARE_MODULE = """
from starlette.middleware.cors import CORSMiddleware
from ml_project.web import fastapi_app

def make():
    app = fastapi_app()
    app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["POST"])
    return app
"""
FLASK_MODULE = """
from flask import abort
from ml_project.web import flask_app

def make():
    app = flask_app()

    @app.get("/double/<int:number>")
    def double(number):
        if number > 100:
            abort(418, "too much")
        return {"doubled": 2 * number}

    return app
"""


def check_contract(service, record):
    assert service.get("/double/4").json() == {"doubled": 8}
    assert service.post("/predict", record).status == 200
    assert service.get("/predict").json()["error"]["code"] == "method_not_allowed"
    assert service.get("/nowhere").json()["error"]["code"] == "route_unknown"


def test_route_added_to_fastapi_answers_as_fastapi_does(environment, tmp_path, record):
    (tmp_path / "own_app.py").write_text(FASTAPI_MODULE)
    words = ["-m", "uvicorn", "--factory", "own_app:make", "--app-dir", str(tmp_path), "--port", "0"]
    with running(words, environment) as service:
        check_contract(service, record)
        assert (service.get("/double/101").status, service.get("/double/101").json()) == (418, {"detail": "too much"})
        assert service.get("/double/x").status == 422
        assert "int_parsing" in service.get("/double/x").body.decode()
        refused = service.ask("DELETE", "/double/4")
        assert (refused.status, refused.headers["allow"], refused.json()) == (
            405,
            "GET",
            {"detail": "Method Not Allowed"},
        )
        paths = service.get("/openapi.json").json()["paths"]
        assert paths["/double/{number}"]["get"]["summary"] == "Twice a number"
        assert "/predict" in paths


def test_middleware_added_to_fastapi_sees_the_requests_of_the_contract(environment, tmp_path, record):
    (tmp_path / "own_app.py").write_text(MIDDLEWARE_MODULE)
    words = ["-m", "uvicorn", "--factory", "own_app:make", "--app-dir", str(tmp_path), "--port", "0"]
    with running(words, environment) as service:
        answer = service.post("/predict", record, Origin="https://shop.example")
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")


def test_route_added_to_flask_answers_as_flask_does(environment, tmp_path, record):
    (tmp_path / "own_app.py").write_text(FLASK_MODULE)
    words = ["-m", "gunicorn", "own_app:make()", "--pythonpath", str(tmp_path), "--bind", "127.0.0.1:0"]
    with running(words, environment) as service:
        check_contract(service, record)
        assert service.get("/double/101").status == 418
        assert "too much" in service.get("/double/101").body.decode()

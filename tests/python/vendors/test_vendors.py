"""The vendors' official Python clients against their doubles in speech-sim.

The adapters and the doubles were written from the same notes. That these notes are right
is told by clients that are not ours: they must understand the doubles' answers and errors,
and the doubles must understand their requests.

Needs the binary in SPEECH_SIM_BIN and the packages of requirements.txt:

    SPEECH_SIM_BIN=target/debug/speech-sim python -m pytest tests/python/vendors
"""

import hashlib
import io
import json
import os
import subprocess
import urllib.request

import openai
import pytest

AUDIO = bytes(range(256)) * 250
SHA256 = hashlib.sha256(AUDIO).hexdigest()
TEXT = "एक दो three"


class Doubles:
    """speech-sim, and what it is told and asked besides."""

    def __init__(self, ready):
        self.url = ready["url"]
        self.vendors = ready["vendors"]
        self.servers = ready["servers"]

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")

    def fault(self, vendor, *faults):
        self._ask("/_sim/faults", {"vendor": vendor, "faults": list(faults)})

    def charges(self, vendor):
        charges = self._ask("/_sim/ledger")["charges"]
        return [charge for charge in charges if charge["vendor"] == vendor]


@pytest.fixture(scope="session")
def doubles():
    binary = os.environ["SPEECH_SIM_BIN"]
    process = subprocess.Popen([binary], stdout=subprocess.PIPE, text=True)
    made = Doubles(json.loads(process.stdout.readline()))
    made._ask("/_sim/recordings", {SHA256: TEXT})
    yield made
    process.terminate()
    process.wait(timeout=10)


def refuse(status, body, **headers):
    return {"fault": "refuse", "status": status, "body": json.dumps(body), "headers": headers}


def openai_client(doubles, key="k", retries=0):
    url = doubles.vendors["openai"]
    return openai.OpenAI(api_key=key, base_url=url, max_retries=retries)


def ask_openai(client, **others):
    asked = {"model": "gpt-transcribe", "language": "hi", "temperature": 0} | others
    return client.audio.transcriptions.create(file=("a.wav", AUDIO, "audio/wav"), **asked)


def test_openai(doubles):
    client = openai_client(doubles)
    heard = ask_openai(client, response_format="json")
    assert heard.text == TEXT
    assert (heard.usage.type, heard.usage.seconds) == ("duration", 2)
    assert [model.id for model in client.models.list()] == ["gpt-transcribe"]
    assert len(doubles.charges("openai")) == 1


@pytest.mark.parametrize(
    ("others", "error"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError),
        ({"language": "or"}, openai.BadRequestError),
        ({"response_format": "verbose_json"}, openai.BadRequestError),
    ],
)
def test_what_openai_refuses(doubles, others, error):
    before = len(doubles.charges("openai"))
    with pytest.raises(error):
        ask_openai(openai_client(doubles), **others)
    assert len(doubles.charges("openai")) == before


def test_the_extension_tells_openai_the_format(doubles):
    client = openai_client(doubles)
    with pytest.raises(openai.BadRequestError, match="Invalid file format"):
        client.audio.transcriptions.create(model="gpt-transcribe", file=("audio", AUDIO))


def test_openai_errors_are_those_of_the_client(doubles):
    with pytest.raises(openai.AuthenticationError):
        ask_openai(openai_client(doubles, key="wrong-key"))
    quota = {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}
    doubles.fault("openai", refuse(429, quota))
    with pytest.raises(openai.RateLimitError) as raised:
        ask_openai(openai_client(doubles))
    assert raised.value.code == "insufficient_quota"
    # The client believes the advice in the header, and asks again.
    busy = {"error": {"message": "m", "type": "requests", "code": "rate_limit_exceeded"}}
    doubles.fault("openai", refuse(429, busy, **{"retry-after-ms": "10"}))
    assert ask_openai(openai_client(doubles, retries=1)).text == TEXT
    doubles.fault("openai", {"fault": "lost_reply"})
    with pytest.raises(openai.APIConnectionError):
        ask_openai(openai_client(doubles))


def test_servers_of_ones_own(doubles):
    asked = {"language": "hi", "temperature": 0, "file": ("a.wav", AUDIO, "audio/wav")}
    vllm = openai.OpenAI(api_key="EMPTY", base_url=doubles.servers["vllm"], max_retries=0)
    model = {"model": "openai/whisper-small", "response_format": "verbose_json"}
    heard = vllm.audio.transcriptions.create(**asked, **model)
    # A length as a text, as vLLM has it.
    assert (heard.text, heard.segments[-1].end) == (TEXT, 2.0)
    assert float(heard.duration) == 2.0
    with pytest.raises(openai.NotFoundError):
        vllm.audio.transcriptions.create(**asked, model="not-installed")
    url = doubles.servers["speaches"]
    speaches = openai.OpenAI(api_key="k", base_url=url, max_retries=0)
    model = {"model": "Systran/faster-whisper-small", "response_format": "verbose_json"}
    assert speaches.audio.transcriptions.create(**asked, **model).text == TEXT
    # It says forbidden of a key that it does not know.
    with pytest.raises(openai.PermissionDeniedError):
        wrong = speaches.with_options(api_key="wrong-key")
        wrong.audio.transcriptions.create(**asked, **model)


def test_azure(doubles):
    endpoint, deployment = doubles.servers["azure"].split("/openai/deployments/")
    deployment, version = deployment.split("?api-version=")
    client = openai.AzureOpenAI(
        api_key="k", azure_endpoint=endpoint, api_version=version, max_retries=0
    )
    asked = {"language": "hi", "temperature": 0, "file": ("a.wav", AUDIO, "audio/wav")}
    heard = client.audio.transcriptions.create(model=deployment, **asked)
    assert heard.text == TEXT
    assert doubles.charges("azure")[-1]["account"] == "k"
    with pytest.raises(openai.AuthenticationError):
        wrong = client.with_options(api_key="wrong-key")
        wrong.audio.transcriptions.create(model=deployment, **asked)
    # Nothing is deployed under this name.
    with pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(model="other", **asked)


def test_groq(doubles):
    from groq import AuthenticationError, Groq

    # The client has the path of the API in its calls, and the host alone in its base.
    base = doubles.vendors["groq"].removesuffix("/openai/v1")
    client = Groq(api_key="k", base_url=base, max_retries=0)
    heard = client.audio.transcriptions.create(
        file=("a.ogg", AUDIO, "audio/ogg"),
        model="whisper-large-v3",
        language="hi",
        response_format="verbose_json",
        temperature=0,
    )
    assert heard.text == TEXT
    assert heard.segments[-1]["end"] == 2.0
    with pytest.raises(AuthenticationError):
        Groq(api_key="wrong-key", base_url=base).models.list()


def test_mistral(doubles):
    from mistralai.client import Mistral

    base = doubles.vendors["mistral"].removesuffix("/v1")
    client = Mistral(api_key="k", server_url=base)
    heard = client.audio.transcriptions.complete(
        model="voxtral-mini-transcribe-3",
        file={"content": io.BytesIO(AUDIO), "file_name": "a.mp3", "content_type": "audio/mpeg"},
        language="hi",
        temperature=0,
    )
    assert heard.text == TEXT
    assert heard.usage.prompt_audio_seconds == 2


def test_elevenlabs(doubles):
    from elevenlabs.client import ElevenLabs
    from elevenlabs.core.api_error import ApiError

    base = doubles.vendors["elevenlabs"]
    client = ElevenLabs(api_key="k", base_url=base)
    asked = {"model_id": "scribe_v2", "file": ("a.wav", AUDIO, "audio/wav"), "language_code": "hi"}
    heard = client.speech_to_text.convert(**asked, tag_audio_events=False, temperature=0, seed=0)
    assert heard.text == TEXT
    # What its default does to a transcript.
    assert client.speech_to_text.convert(**asked).text == f"{TEXT} (laughter)"
    quota = {"detail": {"status": "quota_exceeded", "message": "0 credits left"}}
    doubles.fault("elevenlabs", refuse(401, quota))
    with pytest.raises(ApiError) as raised:
        client.speech_to_text.convert(**asked)
    assert raised.value.status_code == 401


def test_deepgram(doubles):
    from deepgram import DeepgramClient
    from deepgram.core.api_error import ApiError
    from deepgram.environment import DeepgramClientEnvironment

    base = doubles.vendors["deepgram"]
    environment = DeepgramClientEnvironment(
        base=base, production=base, agent=base, agent_rest=base
    )
    client = DeepgramClient(api_key="k", environment=environment)
    asked = {"request": AUDIO, "model": "nova-3", "language": "hi", "punctuate": True}
    heard = client.listen.v1.media.transcribe_file(**asked)
    assert heard.results.channels[0].alternatives[0].transcript == TEXT
    assert heard.metadata.duration == 2.0
    smart = client.listen.v1.media.transcribe_file(**asked, smart_format=True)
    assert smart.results.channels[0].alternatives[0].transcript != TEXT
    wrong = DeepgramClient(api_key="wrong-key", environment=environment)
    with pytest.raises(ApiError) as raised:
        wrong.listen.v1.media.transcribe_file(**asked)
    assert raised.value.status_code == 401


def sarvam_client(doubles, key="k"):
    from sarvamai import SarvamAI
    from sarvamai.environment import SarvamAIEnvironment

    base = doubles.vendors["sarvam"]
    environment = SarvamAIEnvironment(base=base, creative=base, production=base)
    return SarvamAI(api_subscription_key=key, environment=environment)


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "res_1.wav"
    path.write_bytes(AUDIO)
    return path


def test_sarvam(doubles, clip, tmp_path):
    client = sarvam_client(doubles)
    for mode, text in [("verbatim", TEXT), ("transcribe", TEXT.replace("three", "3"))]:
        jobs = client.speech_to_text_job
        job = jobs.create_job(model="saaras:v4", mode=mode, language_code="hi-IN")
        assert job.get_status().job_state == "Accepted"
        assert job.upload_files([str(clip)])
        before = len(doubles.charges("sarvam"))
        assert job.start().job_state == "Pending"
        status = job.wait_until_complete(poll_interval=0)
        assert status.job_state == "Completed"
        (mapping,) = job.get_output_mappings()
        assert mapping["input_file"] == "res_1.wav"
        assert job.download_outputs(str(tmp_path))
        heard = json.loads((tmp_path / "res_1.wav.json").read_text())
        assert heard["transcript"] == text
        assert len(doubles.charges("sarvam")) == before + 1


def test_what_sarvam_refuses(doubles, clip):
    from sarvamai.core.api_error import ApiError
    from sarvamai.errors import BadRequestError, ForbiddenError, TooManyRequestsError

    zero = "00000000-0000-0000-0000-000000000000"
    with pytest.raises(ForbiddenError) as raised:
        sarvam_client(doubles, key="wrong-key").speech_to_text_job.get_status(zero)
    assert raised.value.body["error"]["code"] == "invalid_api_key_error"
    jobs = sarvam_client(doubles).speech_to_text_job
    with pytest.raises(ApiError) as raised:
        jobs.get_status(zero)
    assert raised.value.status_code == 404
    with pytest.raises(BadRequestError):
        jobs.create_job(model="saaras:v4", mode="verbatim", language_code="fr-FR")
    job = jobs.create_job(model="saaras:v4", mode="verbatim", language_code="hi-IN")
    # Nothing was sent yet.
    with pytest.raises(BadRequestError):
        job.start()
    job.upload_files([str(clip)])
    quota = {"error": {"message": "m", "code": "insufficient_quota_error", "request_id": "r"}}
    doubles.fault("sarvam", refuse(429, quota))
    # The client would ask again by itself.
    with pytest.raises(TooManyRequestsError):
        jobs.start(job_id=job.job_id, request_options={"max_retries": 0})
    assert job.get_status().job_state == "Accepted"


def assemblyai_client(doubles, key="k"):
    import assemblyai

    url = doubles.vendors["assemblyai"]
    settings = assemblyai.Settings(api_key=key, base_url=url, polling_interval=0.01)
    return assemblyai.Client(settings=settings)


def test_assemblyai(doubles, clip):
    import assemblyai
    from assemblyai import api

    client = assemblyai_client(doubles)
    config = assemblyai.TranscriptionConfig(
        speech_models=["universal-2"],
        language_code="hi",
        format_text=False,
        disfluencies=True,
    )
    heard = assemblyai.Transcriber(client=client, config=config).transcribe(str(clip))
    assert heard.status == assemblyai.TranscriptStatus.completed
    assert heard.text == TEXT
    assert len(doubles.charges("assemblyai")) == 1
    listed = api.list_transcripts(client.http_client, None).transcripts
    assert [(one.id, one.audio_url) for one in listed] == [(heard.id, heard.audio_url)]
    # What the defaults do to a transcript.
    config = assemblyai.TranscriptionConfig(speech_models=["universal-2"], language_code="hi")
    formatted = assemblyai.Transcriber(client=client, config=config).transcribe(str(clip))
    assert formatted.text == TEXT.replace("three", "3")
    gone = api.delete_transcript(client.http_client, heard.id)
    assert gone.text == "Deleted by user."


def test_what_assemblyai_refuses(doubles, clip):
    import assemblyai
    from assemblyai import api
    from assemblyai.types import TranscriptError, TranscriptRequest

    wrong = assemblyai_client(doubles, key="wrong-key")
    with pytest.raises(TranscriptError) as raised:
        api.upload_file(wrong.http_client, AUDIO)
    assert raised.value.status_code == 401
    client = assemblyai_client(doubles)
    url = api.upload_file(client.http_client, AUDIO)
    before = len(doubles.charges("assemblyai"))
    for others in [{}, {"speech_models": ["universal-9"]}]:
        with pytest.raises(TranscriptError) as raised:
            api.create_transcript(client.http_client, TranscriptRequest(audio_url=url, **others))
        assert raised.value.status_code == 400
    # An upload is of one account alone.
    other = assemblyai_client(doubles, key="of-another")
    asked = TranscriptRequest(audio_url=url, speech_models=["universal-2"])
    with pytest.raises(TranscriptError):
        api.create_transcript(other.http_client, asked)
    doubles.fault("assemblyai", refuse(429, {"error": "Too many requests"}, **{"retry-after": "1"}))
    with pytest.raises(TranscriptError) as raised:
        api.create_transcript(client.http_client, asked)
    assert raised.value.status_code == 429
    assert len(doubles.charges("assemblyai")) == before

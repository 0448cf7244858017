//! The OpenAPI document and the types of `wire` are one contract: every schema has
//! its type, and what the schema allows the type reads and writes back unchanged.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use stt_eval_shared::domain::dialect;
use stt_eval_shared::domain::file::{FileKind, FileStatus};
use stt_eval_shared::domain::rescoring::ScoringStatus;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::review::{Queue, Reason, Verdict};
use stt_eval_shared::domain::role::Role;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::unit::WaitingReason;
use stt_eval_shared::domain::usage::Usage;
use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::domain::{
    DatasetId, FileId, KeyId, ResultId, RunId, SampleId, SessionId, Timestamp,
};
use stt_eval_shared::wire::envelope::{
    Deleted, Envelope, ListEnvelope, PageMeta, Refused, RefusedMeta,
};
use stt_eval_shared::wire::{
    access, catalogue, comparison, consensus, datasets, estimate, export, files, meta, models,
    paths, report, results, run_comparison, runs, scores, transcripts,
};

/// Reads a value and writes it back.
type RoundTrip = fn(&Value) -> Result<Value, serde_json::Error>;

fn round_trip<T: Serialize + DeserializeOwned>(value: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(value)?)
}

/// The type behind each schema.
fn types() -> BTreeMap<&'static str, RoundTrip> {
    macro_rules! table {
        ($($schema:literal => $type:ty),* $(,)?) => {
            BTreeMap::from([$(($schema, round_trip::<$type> as RoundTrip)),*])
        };
    }
    table! {
        "Acceptance" => consensus::Acceptance,
        "Acceptances" => consensus::Acceptances,
        "AcceptedView" => consensus::Accepted,
        "AddedTranscripts" => transcripts::AddedTranscripts,
        "AdjustmentView" => comparison::Adjustment,
        "AgreementView" => report::Agreement,
        "AlignedWordView" => scores::AlignedWord,
        "Announced" => files::Announced,
        "AnnouncedFiles" => files::AnnouncedFiles,
        "BucketView" => report::Bucket,
        "ComparedRunView" => run_comparison::ComparedRun,
        "ComparedView" => comparison::Compared,
        "ComparisonView" => comparison::Comparison,
        "ConfusionsView" => report::Confusions,
        "CostView" => report::Cost,
        "CountedView" => report::Counted,
        "CountsView" => scores::Counts,
        "CoverageView" => comparison::Coverage,
        "CreatedKey" => access::CreatedKey,
        "CredentialView" => access::Credential,
        "DatasetId" => DatasetId,
        "DatasetMetadata" => datasets::DatasetMetadata,
        "DatasetView" => datasets::Dataset,
        "EarlierReferenceView" => datasets::EarlierReference,
        "EarlierReferencesView" => datasets::EarlierReferences,
        "Envelope_AcceptedView" => Envelope<consensus::Accepted>,
        "Envelope_CreatedKey" => Envelope<access::CreatedKey>,
        "DialectAuth" => dialect::Auth,
        "DialectChoice" => models::DialectChoice,
        "DialectSwitches" => models::DialectSwitches,
        "Envelope_CredentialView" => Envelope<access::Credential>,
        "Envelope_DatasetView" => Envelope<datasets::Dataset>,
        "Envelope_Deleted_DatasetId" => Envelope<Deleted<DatasetId>>,
        "Envelope_Deleted_FileId" => Envelope<Deleted<FileId>>,
        "Envelope_Deleted_KeyId" => Envelope<Deleted<KeyId>>,
        "Envelope_Deleted_SessionId" => Envelope<Deleted<SessionId>>,
        "Envelope_Deleted_RunId" => Envelope<Deleted<RunId>>,
        "Envelope_Deleted_String" => Envelope<Deleted<String>>,
        "Envelope_FileView" => Envelope<files::File>,
        "Envelope_ExportUnderWayView" => Envelope<export::ExportUnderWay>,
        "Envelope_ExportView" => Envelope<export::Export>,
        "Envelope_FilesMade" => Envelope<files::FilesMade>,
        "Envelope_Health" => Envelope<meta::Health>,
        "Envelope_OwnModelView" => Envelope<models::OwnModel>,
        "Envelope_ReportView" => Envelope<report::Report>,
        "Envelope_ResultView" => Envelope<results::Result>,
        "Envelope_RunComparisonView" => Envelope<run_comparison::RunComparison>,
        "Envelope_WhoAmIView" => Envelope<access::WhoAmI>,
        "Envelope_RunView" => Envelope<runs::Run>,
        "Envelope_SampleView" => Envelope<datasets::Sample>,
        "Envelope_ScoredAnewView" => Envelope<results::ScoredAnew>,
        "Envelope_EstimateView" => Envelope<estimate::Estimate>,
        "EstimateView" => estimate::Estimate,
        "ErrorEnvelope" => Refused,
        "ErrorMeta" => RefusedMeta,
        "FailuresView" => scores::Failures,
        "FieldError" => FieldError,
        "FiguresView" => scores::Figures,
        "ExportUnderWayView" => export::ExportUnderWay,
        "ExportView" => export::Export,
        "FileId" => FileId,
        "FileKind" => FileKind,
        "FileStatus" => FileStatus,
        "FileView" => files::File,
        "FilesMade" => files::FilesMade,
        "AudioView" => catalogue::Audio,
        "FormatView" => catalogue::Format,
        "PriceView" => catalogue::Price,
        "FromModelView" => datasets::FromModel,
        "GroupKind" => report::GroupKind,
        "GroupView" => report::Group,
        "GroupsView" => report::Groups,
        "Health" => meta::Health,
        "HeardView" => consensus::Heard,
        "How" => datasets::How,
        "HumanView" => report::Human,
        "IntervalView" => comparison::Interval,
        "KeyId" => KeyId,
        "KeyView" => access::ApiKey,
        "KeywordView" => report::Keyword,
        "KeywordsView" => report::Keywords,
        "LanguageView" => catalogue::Language,
        "LatencyView" => report::Latency,
        "LimitsView" => catalogue::Limits,
        "ListEnvelope_DatasetView" => ListEnvelope<datasets::Dataset>,
        "ListEnvelope_FileView" => ListEnvelope<files::File>,
        "ListEnvelope_KeyView" => ListEnvelope<access::ApiKey>,
        "ListEnvelope_LanguageView" => ListEnvelope<catalogue::Language>,
        "ListEnvelope_OwnModelView" => ListEnvelope<models::OwnModel>,
        "ListEnvelope_SessionView" => ListEnvelope<access::Session>,
        "ListEnvelope_ProposalView" => ListEnvelope<consensus::Proposal>,
        "ListEnvelope_ProviderView" => ListEnvelope<catalogue::Model>,
        "ListEnvelope_ResultView" => ListEnvelope<results::Result>,
        "ListEnvelope_ReviewView" => ListEnvelope<results::Review>,
        "ListEnvelope_RunView" => ListEnvelope<runs::Run>,
        "LeftAloneView" => consensus::LeftAlone,
        "LeftOutView" => run_comparison::LeftOut,
        "ModelChange" => models::ModelChange,
        "ModelComparisonView" => run_comparison::ModelComparison,
        "ModelConfigView" => runs::ModelConfig,
        "ModelEstimateView" => estimate::ModelEstimate,
        "NewApiKey" => access::NewApiKey,
        "NewCredential" => access::NewCredential,
        "NewDataset" => datasets::NewDataset,
        "NewFile" => files::NewFile,
        "NewFiles" => files::NewFiles,
        "NewModel" => models::NewModel,
        "NewRun" => runs::NewRun,
        "NewRunConfig" => runs::NewRunConfig,
        "NewSample" => datasets::NewSample,
        "NewScoring" => report::NewScoring,
        "NewTranscript" => transcripts::NewTranscript,
        "NewTranscripts" => transcripts::NewTranscripts,
        "NotComparableCode" => run_comparison::NotComparableCode,
        "NotComparableView" => run_comparison::NotComparable,
        "OwnModelView" => models::OwnModel,
        "PageMeta" => PageMeta,
        "PairedFiguresView" => run_comparison::PairedFigures,
        "PairView" => comparison::Pair,
        "ProposalView" => consensus::Proposal,
        "ProviderReport" => report::ModelReport,
        "ProviderScore" => scores::ModelScore,
        "ProviderView" => catalogue::Model,
        "RankView" => comparison::Rank,
        "ReportView" => report::Report,
        "ResponseFormat" => dialect::ResponseFormat,
        "Retry" => runs::Retry,
        "Queue" => Queue,
        "Reason" => Reason,
        "ResultId" => ResultId,
        "ResultPatch" => results::ResultPatch,
        "ResultStatus" => ResultStatus,
        "ResultView" => results::Result,
        "ReviewView" => results::Review,
        "ReviewerView" => results::Reviewer,
        "Right" => access::Right,
        "Role" => Role,
        "WhoAmIView" => access::WhoAmI,
        "RunComparisonView" => run_comparison::RunComparison,
        "RunConfigView" => runs::RunConfig,
        "RunCounts" => runs::RunCounts,
        "RunId" => RunId,
        "RunStatus" => RunStatus,
        "RunType" => runs::RunType,
        "RunView" => runs::Run,
        "RunWarningCode" => runs::RunWarningCode,
        "RunWarningView" => runs::RunWarning,
        "SampleId" => SampleId,
        "SamplePatch" => datasets::SamplePatch,
        "SampleView" => datasets::Sample,
        "ScoreView" => scores::Score,
        "ScoredAnewView" => results::ScoredAnew,
        "ScoredBy" => results::ScoredBy,
        "ScoringStatus" => ScoringStatus,
        "ScoringView" => report::Scoring,
        "Script" => catalogue::Script,
        "StepView" => report::Step,
        "SubstitutedView" => report::Substituted,
        "SummaryView" => report::Summary,
        "TestView" => comparison::Test,
        "Timestamp" => Timestamp,
        "Upload" => files::Upload,
        "ReferencesView" => report::References,
        "SessionId" => SessionId,
        "SessionView" => access::Session,
        "Usage" => Usage,
        "Verdict" => Verdict,
        "WaitingReason" => WaitingReason,
        "WaitingView" => runs::Waiting,
        "WarningCode" => comparison::WarningCode,
        "WarningView" => comparison::Warning,
        "WordTime" => results::WordTime,
        "WordView" => scores::Word,
    }
}

/// Schemas that are no JSON: `multipart/form-data`.
const NO_JSON: &[&str] = &["UploadForm"];

fn document() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).unwrap()
}

/// How much of a schema an instance shows.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// Required members only, and nothing in lists.
    Least,
    /// Every member, null where it may be.
    Nulls,
    /// Every member with a value.
    All,
}

/// Makes instances of the document's schemas.
struct Maker<'a> {
    schemas: &'a Map<String, Value>,
    of: Of,
}

impl Maker<'_> {
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => {
                let name = name.strip_prefix("#/components/schemas/").unwrap();
                self.resolve(&self.schemas[name])
            }
            None => schema,
        }
    }

    fn is_null(schema: &Value) -> bool {
        schema["type"] == "null"
    }

    fn may_be_null(schema: &Value) -> bool {
        let types = schema["type"].as_array();
        let either = schema["oneOf"].as_array();
        types.is_some_and(|types| types.iter().any(|kind| kind == "null"))
            || either.is_some_and(|either| either.iter().any(Self::is_null))
    }

    /// Instances: one, or one for each alternative.
    fn make(&self, schema: &Value) -> Vec<Value> {
        let schema = self.resolve(schema);
        // The members of the envelope that are null by design.
        let never = schema["description"] == "Null.";
        if never || (self.of == Of::Nulls && Self::may_be_null(schema)) {
            return vec![Value::Null];
        }
        let example = [&schema["example"], &schema["examples"][0]];
        if let Some(example) = example.into_iter().find(|example| !example.is_null()) {
            return vec![example.clone()];
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let either = either.iter().filter(|one| !Self::is_null(one));
            return either.flat_map(|one| self.make(one)).collect();
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = Map::new();
            for part in parts {
                whole.extend(self.one(part).as_object().unwrap().clone());
            }
            return vec![whole.into()];
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
            kind => kind,
        };
        vec![match kind.as_str().expect("a schema without a type") {
            "object" => self.object(schema),
            "array" if self.of == Of::All => self.make(&schema["items"]).into(),
            "array" => json!([]),
            "boolean" => json!(true),
            "integer" => json!(7),
            "number" => json!(0.5),
            "string" if schema["format"] == "date-time" => json!("2026-11-26T10:20:30.456Z"),
            // A flag too: some schemas call flags text.
            "string" => json!("loop"),
            other => panic!("a schema of type {other}"),
        }]
    }

    fn one(&self, schema: &Value) -> Value {
        self.make(schema).remove(0)
    }

    fn object(&self, schema: &Value) -> Value {
        let mut object = Map::new();
        let required: Vec<&str> = required(schema);
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            if self.of != Of::Least || required.contains(&&**name) {
                object.insert(name.clone(), self.one(member));
            }
        }
        let rest = &schema["additionalProperties"];
        if rest.is_object() && self.of == Of::All {
            object.insert("loop".to_owned(), self.one(rest));
        }
        object.into()
    }
}

fn required(schema: &Value) -> Vec<&str> {
    let named = schema["required"].as_array().into_iter().flatten();
    named.map(|name| name.as_str().unwrap()).collect()
}

/// The same with one kind of number, and without nulls if asked.
fn plain(value: &Value, nulls: bool) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64().unwrap()),
        Value::Array(items) => items.iter().map(|item| plain(item, nulls)).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| nulls || !value.is_null())
            .map(|(name, value)| (name.clone(), plain(value, nulls)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Whether a value has all that another has.
fn within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|other| within(value, other))),
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(a, b)| within(a, b))
        }
        (part, whole) => plain(part, true) == plain(whole, true),
    }
}

#[test]
fn every_schema_has_its_type() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let known: BTreeSet<&str> = types().into_keys().chain(NO_JSON.iter().copied()).collect();
    let listed: BTreeSet<&str> = schemas.keys().map(String::as_str).collect();
    assert_eq!(known, listed);
}

#[test]
fn what_a_schema_allows_is_read_and_written_back() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut seen = 0;
    for (name, round_trip) in types() {
        for of in [Of::Least, Of::Nulls, Of::All] {
            for instance in (Maker { schemas, of }).make(&schemas[name]) {
                let again = round_trip(&instance)
                    .unwrap_or_else(|error| panic!("{name}: {error} in {instance}"));
                match of {
                    // What may be absent may be written with its default.
                    Of::Least => assert!(within(&instance, &again), "{name}: {again}"),
                    // A member that may be null may be absent: one of the two is written.
                    Of::Nulls => {
                        assert_eq!(plain(&again, false), plain(&instance, false), "{name}")
                    }
                    Of::All => assert_eq!(plain(&again, true), plain(&instance, true), "{name}"),
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn every_example_is_read_and_written_back() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let types = types();
    let mut seen = 0;
    for (name, schema) in schemas {
        let several = schema["examples"].as_array().cloned().unwrap_or_default();
        let one = schema.get("example").cloned();
        for example in several.into_iter().chain(one) {
            let again = types[&**name](&example).unwrap();
            assert_eq!(plain(&again, true), plain(&example, true), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn what_is_required_is_missed() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, round_trip) in types() {
        let schema = &schemas[name];
        let whole = Maker {
            schemas,
            of: Of::All,
        }
        .one(schema);
        for member in required(schema) {
            let mut part = whole.as_object().unwrap().clone();
            part.remove(member).unwrap();
            assert!(round_trip(&part.into()).is_err(), "{name} without {member}");
        }
    }
}

#[test]
fn requests_refuse_what_they_do_not_know_and_answers_skip_it() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, round_trip) in types() {
        let schema = &schemas[name];
        let whole = Maker {
            schemas,
            of: Of::All,
        }
        .one(schema);
        let Value::Object(mut more) = whole.clone() else {
            continue;
        };
        more.insert("never_heard_of".to_owned(), json!(1));
        let strict = schema["additionalProperties"] == json!(false);
        match round_trip(&more.into()) {
            Ok(again) => {
                assert!(!strict, "{name}");
                assert_eq!(plain(&again, true), plain(&whole, true), "{name}");
            }
            Err(error) => assert!(strict, "{name}: {error}"),
        }
    }
}

#[test]
fn null_that_says_something_is_written() {
    for patch in [
        json!({}),
        json!({ "language": null }),
        json!({ "ground_truth": "a", "metadata": null }),
        json!({ "ground_truth": null, "language": "hi", "metadata": { "a": 1, "b": true } }),
    ] {
        assert_eq!(round_trip::<datasets::SamplePatch>(&patch).unwrap(), patch);
    }
    for patch in [
        json!({}),
        json!({ "is_correct": null, "comment": null }),
        json!({ "verdict": null, "listened": null, "queue": null, "reasons": null }),
        json!({ "verdict": "cannot_tell", "reasons": ["name"], "listened": 90, "blind": true,
                "queue": "worst" }),
    ] {
        assert_eq!(round_trip::<results::ResultPatch>(&patch).unwrap(), patch);
    }
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let of = Of::Nulls;
    let mut result = Maker { schemas, of }.one(&schemas["ResultView"]);
    assert_eq!(round_trip::<results::Result>(&result).unwrap(), result);
    for member in ["alignment", "signed_url"] {
        result.as_object_mut().unwrap().remove(member).unwrap();
    }
    assert_eq!(round_trip::<results::Result>(&result).unwrap(), result);
}

#[test]
fn every_path_has_its_builder() {
    let filled = |id: &str| format!("{id}_01KAR8F3V4N7C3Q8Z5W2Y0H6M1");
    let run = filled("run").parse().unwrap();
    let built = [
        paths::health(),
        paths::openapi(),
        paths::keys(),
        paths::whoami(),
        paths::key(filled("key").parse().unwrap()),
        paths::sessions(),
        paths::session(filled("ses").parse().unwrap()),
        paths::files(),
        paths::file(filled("file").parse().unwrap()),
        paths::datasets(),
        paths::dataset(filled("ds").parse().unwrap()),
        paths::sample(filled("smp").parse().unwrap()),
        paths::providers(),
        paths::models(),
        paths::model("whisper-large"),
        paths::languages(),
        paths::credential("google"),
        paths::runs(),
        paths::estimate(),
        paths::run(run),
        paths::cancel(run),
        paths::retry(run),
        paths::transcripts(run),
        paths::report(run),
        paths::compare(run, run),
        paths::consensus(run),
        paths::export(run),
        paths::rescore(run),
        paths::results(run),
        paths::result(filled("res").parse().unwrap()),
        paths::reviews(filled("res").parse().unwrap()),
        paths::score(filled("res").parse().unwrap()),
    ];
    let document = document();
    let promised: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let templates = built.iter().map(|path| {
        let parts = path.split('/').map(|part| match part {
            "google" => "{provider}",
            "whisper-large" => "{name}",
            id if id.ends_with("_01KAR8F3V4N7C3Q8Z5W2Y0H6M1") => "{id}",
            other => other,
        });
        let template = parts.collect::<Vec<_>>().join("/");
        template.replace("/compare/{id}", "/compare/{other}")
    });
    assert_eq!(templates.collect::<BTreeSet<_>>(), promised);
}

//! What Google answers, read tolerantly: every member optional, a member of a
//! wrong type counts as absent, 64-bit numbers as text or number, names in
//! either case. Shapes: `PROTOCOL.md` §1.3, §2.3.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A member that is taken when it has the right type and ignored when not.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).ok())
}

/// The same for a structure. It must be an object: serde would also take an
/// array, by position.
fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    let object = Some(value).filter(Value::is_object);
    Ok(object.and_then(|value| T::deserialize(value).ok()))
}

/// A 64-bit number: proto-JSON writes them as text.
fn int64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(as_u64(&Value::deserialize(deserializer)?))
}

/// An RFC 3339 time, up to nine fractional digits.
fn timestamp<'de, D>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    let text = value.as_str();
    Ok(text.and_then(|t| OffsetDateTime::parse(t, &Rfc3339).ok()))
}

/// A non-negative whole number, as a number or as text.
pub(super) fn as_u64(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64().or_else(|| {
            let float = n.as_f64()?;
            (float.fract() == 0.0 && (0.0..9.0e15).contains(&float)).then_some(float as u64)
        }),
        Value::String(s) => s.parse().ok(),
        _ => None,
    }
}

/// A file at the Files API.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct File {
    /// `files/<id>`.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Our name of it.
    #[serde(alias = "displayName", deserialize_with = "lenient")]
    pub display_name: Option<String>,
    /// What requests refer to.
    #[serde(deserialize_with = "lenient")]
    pub uri: Option<String>,
    /// Type it was declared with.
    #[serde(alias = "mimeType", deserialize_with = "lenient")]
    pub mime_type: Option<String>,
    /// Length.
    #[serde(alias = "sizeBytes", deserialize_with = "int64")]
    pub size_bytes: Option<u64>,
    /// base64 of the digest, or of its hexadecimal form.
    #[serde(alias = "sha256Hash", deserialize_with = "lenient")]
    pub sha256_hash: Option<String>,
    /// End of its life.
    #[serde(alias = "expirationTime", deserialize_with = "timestamp")]
    pub expiration_time: Option<OffsetDateTime>,
    /// `PROCESSING`, `ACTIVE`, `FAILED`.
    #[serde(deserialize_with = "lenient")]
    pub state: Option<String>,
    /// Why it failed.
    #[serde(deserialize_with = "object")]
    pub error: Option<Status>,
}

/// A page of files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilePage {
    /// The files of the page.
    #[serde(deserialize_with = "lenient")]
    pub files: Option<Vec<Value>>,
    /// Token of the next page.
    #[serde(
        rename = "nextPageToken",
        alias = "next_page_token",
        deserialize_with = "lenient"
    )]
    pub next_page_token: Option<String>,
}

/// Answer to the last chunk of an upload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Uploaded {
    /// The file.
    #[serde(deserialize_with = "object")]
    pub file: Option<File>,
}

/// `google.rpc.Status`, inside answers that are themselves a success.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    /// `google.rpc.Code`, sometimes an HTTP status.
    #[serde(deserialize_with = "lenient")]
    pub code: Option<i64>,
    /// Text for developers.
    #[serde(deserialize_with = "lenient")]
    pub message: Option<String>,
    /// Name of the code.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
    /// Typed details: `RetryInfo`, `ErrorInfo` and others.
    #[serde(deserialize_with = "lenient")]
    pub details: Option<Vec<Value>>,
}

/// Body of an error answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    /// The error.
    #[serde(deserialize_with = "object")]
    pub error: Option<Status>,
}

/// A batch: `google.longrunning.Operation`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Operation {
    /// `batches/<id>`.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The batch itself.
    #[serde(deserialize_with = "object")]
    pub metadata: Option<Batch>,
    /// Absent while it runs.
    #[serde(deserialize_with = "lenient")]
    pub done: Option<bool>,
    /// Why the whole failed.
    #[serde(deserialize_with = "object")]
    pub error: Option<Status>,
    /// The output, once more.
    #[serde(deserialize_with = "object")]
    pub response: Option<Output>,
}

/// `GenerateContentBatch`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Batch {
    /// `batches/<id>`, again.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Our name of it.
    #[serde(alias = "displayName", deserialize_with = "lenient")]
    pub display_name: Option<String>,
    /// `BATCH_STATE_…`.
    #[serde(deserialize_with = "lenient")]
    pub state: Option<String>,
    /// When it was created.
    #[serde(alias = "createTime", deserialize_with = "timestamp")]
    pub create_time: Option<OffsetDateTime>,
    /// The output, when finished.
    #[serde(deserialize_with = "object")]
    pub output: Option<Output>,
    /// What it was made of.
    #[serde(alias = "inputConfig", deserialize_with = "object")]
    pub input_config: Option<Input>,
}

/// What a batch was made of.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    /// `files/<id>`.
    #[serde(alias = "fileName", deserialize_with = "lenient")]
    pub file_name: Option<String>,
}

/// Where the output is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Output {
    /// `files/batch-<id>`.
    #[serde(alias = "responsesFile", deserialize_with = "lenient")]
    pub responses_file: Option<String>,
}

/// A page of batches. Read strictly, because a page that seems to end the list
/// too early makes a batch seem absent, and it would be paid twice: members of
/// a wrong type, unknown members only, and places that could not be reached
/// are errors. An entry that can't be read is none, for the others can.
#[derive(Debug, Default, PartialEq)]
pub(super) struct BatchPage {
    /// The batches of the page.
    pub operations: Vec<Result<Operation, Unread>>,
    /// Token of the next page.
    pub next_page_token: Option<String>,
}

/// An entry of a list that can't be read. It could be the very batch that is
/// looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Unread {
    /// What it can be asked for by, where that at least can be read.
    pub name: Option<String>,
}

impl BatchPage {
    /// Reads a page, or says what is wrong with it.
    pub fn read(mut page: Map<String, Value>) -> Result<Self, &'static str> {
        let mut take = |name: &str| page.remove(name).filter(|value| !value.is_null());
        let operations = match take("operations") {
            None => Vec::new(),
            Some(Value::Array(list)) => list.into_iter().map(Operation::read).collect(),
            Some(_) => return Err("the list of batches is not a list"),
        };
        let next_page_token = match take("nextPageToken").or_else(|| take("next_page_token")) {
            None => None,
            Some(Value::String(token)) => Some(token).filter(|token| !token.is_empty()),
            Some(_) => return Err("the token of the next page is not a text"),
        };
        match take("unreachable") {
            None => {}
            Some(Value::Array(list)) if list.is_empty() => {}
            Some(_) => return Err("the list of batches is incomplete"),
        }
        if operations.is_empty() && next_page_token.is_none() && !page.is_empty() {
            return Err("the answer is not a list of batches");
        }
        Ok(Self {
            operations,
            next_page_token,
        })
    }
}

impl Operation {
    /// Reads what must not be taken for another batch, or for none: with a
    /// display name and metadata wherever there are any.
    pub fn read(entry: Value) -> Result<Self, Unread> {
        let told = |value: &&Value| !value.is_null();
        let name = entry.get("name").and_then(Value::as_str).map(str::to_owned);
        let unread = || Unread { name: name.clone() };
        if !entry.is_object() {
            return Err(unread());
        }
        let metadata = entry.get("metadata").filter(told).cloned();
        let operation = Self::deserialize(entry).map_err(|_| unread())?;
        let read = operation.metadata.as_ref();
        let named = metadata.as_ref().is_some_and(|metadata| {
            let mut names = ["displayName", "display_name"].into_iter();
            names.any(|name| metadata.get(name).filter(told).is_some())
        });
        let lost = metadata.is_some() && read.is_none();
        if lost || named && read.is_some_and(|batch| batch.display_name.is_none()) {
            return Err(unread());
        }
        Ok(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_as_text_or_number() {
        for (value, want) in [
            (json!("12"), Some(12)),
            (json!(12), Some(12)),
            (json!(12.0), Some(12)),
            (json!("18446744073709551615"), Some(u64::MAX)),
            (json!(-1), None),
            (json!("-1"), None),
            (json!(1.5), None),
            (json!(1e300), None),
            (json!(true), None),
            (json!(null), None),
        ] {
            assert_eq!(as_u64(&value), want, "{value}");
        }
    }

    #[test]
    fn files_in_either_case_and_with_odd_members() {
        let camel: File = serde_json::from_value(json!({
            "name": "files/a", "mimeType": "audio/wav", "sizeBytes": "5", "state": "ACTIVE",
            "expirationTime": "2026-11-25T10:00:00.123456789Z", "videoMetadata": {"x": 1},
        }))
        .unwrap();
        let snake: File = serde_json::from_value(json!({
            "name": "files/a", "mime_type": "audio/wav", "size_bytes": 5, "state": "ACTIVE",
            "expiration_time": "2026-11-25T10:00:00.123456789Z",
        }))
        .unwrap();
        assert_eq!(camel, snake);
        assert!(camel.expiration_time.is_some() && camel.size_bytes == Some(5));
        let odd: File = serde_json::from_value(json!({
            "name": 7, "sizeBytes": {}, "state": [], "expirationTime": "soon", "error": "x",
        }))
        .unwrap();
        assert_eq!(odd, File::default());
    }

    fn page(value: Value) -> Result<BatchPage, &'static str> {
        BatchPage::read(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_page_must_be_readable_but_its_entries_may_have_odd_members() {
        assert_eq!(page(json!({})), Ok(BatchPage::default()));
        assert_eq!(page(json!({"nextPageToken": ""})), Ok(BatchPage::default()));
        assert_eq!(
            page(json!({"operations": [], "unreachable": []})),
            Ok(BatchPage::default())
        );
        let odd = json!({"operations": [{"name": 5, "metadata": null, "done": "yes", "error": 3}]});
        assert_eq!(page(odd).unwrap().operations, [Ok(Operation::default())]);
        let next = page(json!({"operations": [{}], "nextPageToken": "t", "future": 1})).unwrap();
        assert_eq!(next.next_page_token.as_deref(), Some("t"));
    }

    #[test]
    fn no_page_ends_the_list_by_mistake() {
        for bad in [
            json!({"operations": {}}),
            json!({"nextPageToken": 4}),
            json!({"unreachable": ["asia"]}),
            json!({"message": "of some proxy"}),
            json!({"error": {"code": 13}}),
        ] {
            assert!(page(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_told_with_its_name() {
        for bad in [
            json!("x"),
            json!([]),
            json!({"metadata": ["x"]}),
            json!({"metadata": {"displayName": 7}}),
            json!({"metadata": {"displayName": "d", "display_name": "d"}}),
        ] {
            let read = page(json!({"operations": [bad, {}], "nextPageToken": "t"})).unwrap();
            let unread = Err(Unread::default());
            assert_eq!(read.operations, [unread, Ok(Operation::default())], "{bad}");
            assert_eq!(read.next_page_token.as_deref(), Some("t"));
        }
        let named = json!({"operations": [{"name": "batches/b", "metadata": 7}]});
        let name = Some("batches/b".to_owned());
        assert_eq!(page(named).unwrap().operations, [Err(Unread { name })]);
    }

    #[test]
    fn structures_are_objects() {
        let operation: Operation = serde_json::from_value(json!({
            "metadata": ["batches/a", "display"], "error": [3, "x"], "response": ["files/a"],
        }))
        .unwrap();
        assert_eq!(operation, Operation::default());
    }
}

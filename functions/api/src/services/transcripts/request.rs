//! Lists of transcripts as a request has them, as far as they can be checked without
//! the dataset.

use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::imported::{self, MAX_INLINE};
use stt_eval_shared::domain::run::MAX_PROVIDERS;
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::wire::object::Object;
use stt_eval_shared::wire::transcripts::{AddedTranscripts, NewTranscript, NewTranscripts};

use crate::services::named::in_body;

/// Where the transcripts of a list are.
pub enum Source {
    /// In the request.
    Items(Vec<Object<NewTranscript>>),
    /// In a table that was uploaded.
    Manifest(FileId),
}

/// A list of transcripts.
pub struct List {
    /// What is put before the names of its fields: `transcripts[0].`, or nothing.
    pub at: String,
    /// Name of the model, checked.
    pub name: String,
    /// Where its transcripts are.
    pub source: Source,
    /// Whether those of other clips than the dataset's are left out.
    pub leaves_out: bool,
}

/// Checks the lists of a new run, which has so many other models.
pub fn lists(
    given: Option<Vec<Object<NewTranscripts>>>,
    others: usize,
    errors: &mut Errors,
) -> Vec<List> {
    let Some(given) = given else {
        return Vec::new();
    };
    let count = given.len();
    if count == 0 || count + others > MAX_PROVIDERS {
        errors.push(
            "transcripts",
            format!(
                "must have 1 to {MAX_PROVIDERS} lists, and so many with the other models of the \
                 run; has {count}, beside {others} other models"
            ),
        );
        return Vec::new();
    }
    let given = given.into_iter().enumerate();
    let lists = given.filter_map(|(index, list)| {
        let at = format!("transcripts[{index}].");
        self::list(at, list.0, errors)
    });
    let lists: Vec<List> = lists.collect();
    for (index, list) in lists.iter().enumerate() {
        let mut earlier = lists.iter().take(index);
        if earlier.any(|other| other.name == list.name) {
            errors.push(format!("{}name", list.at), "is there twice");
        }
    }
    lists
}

/// Checks the lists that are to be added to a run.
pub fn added(given: AddedTranscripts, errors: &mut Errors) -> Vec<List> {
    let AddedTranscripts {
        name,
        items,
        manifest_file_id,
        leave_out_unknown,
        transcripts,
    } = given;
    let single = items.is_some() || manifest_file_id.is_some() || leave_out_unknown.is_some();
    match (name, transcripts) {
        (None, Some(transcripts)) if !single => lists(Some(transcripts), 0, errors),
        (_, Some(_)) => {
            errors.push("transcripts", "give one list or several, not both");
            Vec::new()
        }
        (None, None) => {
            errors.push("name", "is required (or transcripts)");
            Vec::new()
        }
        (Some(name), None) => {
            let one = NewTranscripts {
                name,
                items,
                manifest_file_id,
                leave_out_unknown,
            };
            list(String::new(), one, errors).into_iter().collect()
        }
    }
}

fn list(at: String, given: NewTranscripts, errors: &mut Errors) -> Option<List> {
    let leaves_out = given.leave_out_unknown == Some(true);
    let name = errors.keep(validate::model_name(&format!("{at}name"), &given.name));
    let source = match (given.items, given.manifest_file_id) {
        (Some(_), Some(_)) => {
            errors.push(
                format!("{at}manifest_file_id"),
                "give items or a manifest, not both",
            );
            None
        }
        (None, None) => {
            errors.push(format!("{at}items"), "is required (or manifest_file_id)");
            None
        }
        (Some(items), None) if !(1..=MAX_INLINE).contains(&items.len()) => {
            errors.push(
                format!("{at}items"),
                format!(
                    "must have 1 to {MAX_INLINE} transcripts, has {}; more fit into a manifest",
                    items.len()
                ),
            );
            None
        }
        (Some(items), None) => Some(Source::Items(items)),
        (None, Some(id)) => errors
            .keep(in_body::<FileId>(&format!("{at}manifest_file_id"), &id))
            .map(Source::Manifest),
    };
    Some(List {
        at,
        name: name?,
        source: source?,
        leaves_out,
    })
}

impl List {
    /// Id of the model that it becomes.
    #[must_use]
    pub fn model(&self) -> String {
        imported::model_id(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: serde_json::Value) -> Vec<String> {
        let given: AddedTranscripts = serde_json::from_value(body).unwrap();
        let mut errors = Errors::new();
        let lists = added(given, &mut errors);
        let errors = errors.finish().err().unwrap_or_default();
        assert!(lists.is_empty() || errors.iter().all(|e| e.message.contains("twice")));
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_list_has_a_name_and_one_source() {
        let item = json!({ "filename": "a.wav", "text": "" });
        let file = FileId::mint(1, [1; 10]).to_string();
        let good = json!({ "name": "a", "items": [item] });
        let twice = json!({ "transcripts": [good, good] });
        for (body, wanted) in [
            (json!({}), vec!["name"]),
            (json!({ "name": "a" }), vec!["items"]),
            (json!({ "name": "A", "items": [item] }), vec!["name"]),
            (json!({ "name": "a", "items": [] }), vec!["items"]),
            (
                json!({ "name": "a", "items": vec![&item; 1_001] }),
                vec!["items"],
            ),
            (
                json!({ "name": "a", "manifest_file_id": "x" }),
                vec!["manifest_file_id"],
            ),
            (
                json!({ "name": "a", "items": [item], "manifest_file_id": file }),
                vec!["manifest_file_id"],
            ),
            (
                json!({ "name": "a", "transcripts": [good] }),
                vec!["transcripts"],
            ),
            (json!({ "transcripts": [] }), vec!["transcripts"]),
            (
                json!({ "transcripts": vec![&good; 17] }),
                vec!["transcripts"],
            ),
            (twice, vec!["transcripts[1].name"]),
        ] {
            assert_eq!(fields(body.clone()), wanted, "{}", body.to_string().len());
        }
        let given = serde_json::from_value(good).unwrap();
        let mut errors = Errors::new();
        let lists = added(given, &mut errors);
        assert!(errors.is_empty());
        assert_eq!(
            (lists.len(), lists[0].model()),
            (1, "imported/a".to_owned())
        );
    }
}

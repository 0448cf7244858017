//! What the form that starts a run says.

use stt_eval_html::buttons::by_buttons;
use stt_eval_html::start::{Field, Filled, Kept, Wrong};
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::wire::object::Object;
use stt_eval_shared::wire::runs::{NewRun, NewRunConfig};
use stt_eval_shared::wire::transcripts::NewTranscripts;

use crate::http::query::{Pairs, encoded};
use crate::pages::parts::Parts;
use crate::pages::session::Visit;
use crate::pages::transcripts;
use crate::refusal::{Kind, Refusal};
use crate::services::datasets::kept;

/// What the name of a box of a model begins with; its id follows.
const MODEL: &str = "model.";

/// Longest choices in an address. Browsers send it twice, with the page that is asked for
/// and with the one it was asked from, and a gateway takes 10,240 bytes of all that goes
/// before a body.
const MAX_CHOICES: usize = 4_000;

/// What a form says.
pub(super) fn filled(form: &Pairs) -> Filled {
    let text = |name| form.text(name).unwrap_or_default().to_owned();
    Filled {
        name: text("run_name"),
        dataset: text("dataset_id"),
        models: form.ticked(MODEL).map(str::to_owned).collect(),
        max_cost: text("max_cost_usd"),
        lossless_flac: form.text("lossless_flac").is_some(),
        blind_review: form.text("blind_review").is_some(),
        leave_out: form.text("leave_out").is_some(),
        transcripts: text("transcripts").trim().to_owned(),
        table: form
            .text("kept")
            .filter(|id| !id.is_empty())
            .map(|id| Kept {
                id: id.to_owned(),
                name: text("kept_name"),
            }),
        token: text("token"),
    }
}

/// What is filled in, as the query of an address that fills it in again; `None` where it
/// has no room in one. Its token stays out: who is sent the address has a form of their own.
pub(super) fn choices(filled: &Filled) -> Option<String> {
    let mut query = format!("run_name={}", encoded(&filled.name));
    let table = filled.table.as_ref();
    let flag = |is: bool| if is { "1" } else { "" };
    for (name, value) in [
        ("dataset_id", &*filled.dataset),
        ("max_cost_usd", &*filled.max_cost),
        ("lossless_flac", flag(filled.lossless_flac)),
        ("blind_review", flag(filled.blind_review)),
        ("leave_out", flag(filled.leave_out)),
        ("transcripts", &*filled.transcripts),
        ("kept", table.map_or("", |table| &*table.id)),
        ("kept_name", table.map_or("", |table| &*table.name)),
    ] {
        if !value.is_empty() {
            query.extend(["&", name, "=", &encoded(value)]);
        }
    }
    for model in &filled.models {
        query.extend(["&", MODEL, &encoded(model), "=1"]);
    }
    (query.len() <= MAX_CHOICES).then_some(query)
}

/// A form that was sent.
pub(super) struct Sent {
    /// What it says.
    pub filled: Filled,
    /// What tells its table from another, where one came with it.
    pub digest: Option<String>,
    /// What is wrong with that table.
    pub wrong: Vec<Wrong>,
}

/// Reads a form. A table that is in it is kept, so that it need not be sent again.
pub(super) async fn read(app: &App, visit: &Visit, mut parts: Parts) -> Result<Sent, Refusal> {
    let mut filled = filled(&parts.fields);
    let (mut digest, mut wrong) = (None, Vec::new());
    let project = &visit.caller.actor.project;
    let sent = parts.take("table");
    let kept = filled.table.as_ref().filter(|_| sent.is_none());
    if let Some(id) = kept.and_then(|table| table.id.parse().ok()) {
        kept::arrived(app, project, id).await?;
    }
    if let Some(sent) = sent {
        digest = Some(sha256_hex(&sent.bytes));
        // What is to be left out was said of the table before.
        filled.leave_out = false;
        let name = sent.filename.clone();
        match transcripts::keep(app, project, sent).await {
            Ok(id) => {
                let id = id.to_string();
                filled.table = Some(Kept { id, name });
            }
            Err(refusal) if refusal.kind == Kind::Invalid => {
                filled.table = None;
                let told = |of: &FieldError| self::wrong(Field::Transcripts, &of.message);
                wrong.extend(refusal.fields.iter().map(told));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(Sent {
        filled,
        digest,
        wrong,
    })
}

/// The list of transcripts of a form.
fn list(filled: &Filled) -> Option<NewTranscripts> {
    filled.table.as_ref().map(|table| NewTranscripts {
        name: filled.transcripts.clone(),
        items: None,
        manifest_file_id: Some(table.id.clone()),
        leave_out_unknown: filled.leave_out.then_some(true),
    })
}

/// What is wrong with a field, in words.
pub(super) fn wrong(field: Field, message: &str) -> Wrong {
    Wrong {
        field,
        message: message.to_owned(),
    }
}

/// The run that a form asks for. What only a form can have wrong is told in its words,
/// everything else by what checks runs. `lossless_flac` is how the deployment is set.
fn asked(filled: &Filled, lossless_flac: bool) -> Result<NewRun, Vec<Wrong>> {
    let mut all = Vec::new();
    if filled.name.trim().is_empty() {
        all.push(wrong(
            Field::Name,
            "must not be empty (1 to 255 characters)",
        ));
    }
    if filled.dataset.is_empty() {
        all.push(wrong(Field::Dataset, "choose a dataset"));
    }
    match (&filled.table, filled.transcripts.is_empty()) {
        (None, true) if filled.models.is_empty() => {
            all.push(wrong(
                Field::Models,
                "choose at least one model, or transcripts made elsewhere",
            ));
        }
        (None, false) => all.push(wrong(Field::Transcripts, "choose their table")),
        (Some(_), true) => all.push(wrong(Field::Transcripts, "name the model")),
        _ => {}
    }
    let max = filled.max_cost.trim();
    let max_cost_usd = max.parse::<f64>().ok().filter(|usd| usd.is_finite());
    if !max.is_empty() && max_cost_usd.is_none() {
        let message = "must be an amount of US dollars such as 12.50, or empty";
        all.push(wrong(Field::MaxCost, message));
    }
    if !all.is_empty() {
        return Err(all);
    }
    let asks_models = !filled.models.is_empty();
    Ok(NewRun {
        run_name: filled.name.clone(),
        dataset_id: Some(filled.dataset.clone()),
        providers: asks_models.then(|| filled.models.iter().cloned().collect()),
        transcripts: list(filled).map(|list| vec![Object(list)]),
        max_cost_usd,
        blind_review: filled.blind_review.then_some(true),
        config: (asks_models && filled.lossless_flac != lossless_flac).then(|| {
            Object(NewRunConfig {
                lossless_flac: Some(filled.lossless_flac),
                ..NewRunConfig::default()
            })
        }),
        ..NewRun::default()
    })
}

/// The same, where what was sent with it could be read.
pub(super) fn checked(
    filled: &Filled,
    wrong: Vec<Wrong>,
    lossless_flac: bool,
) -> Result<NewRun, Vec<Wrong>> {
    if wrong.is_empty() {
        asked(filled, lossless_flac)
    } else {
        Err(wrong)
    }
}

/// A field of the service as the form knows it.
fn field(of: &FieldError, filled: &Filled) -> Wrong {
    let index = of.field.strip_prefix("providers[");
    let index = index.and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    let model = index.and_then(|index| filled.models.iter().nth(index));
    if let Some(inside) = of.field.strip_prefix("transcripts[0].") {
        let message = of.message.replace("transcripts[0].", "");
        return wrong(Field::Transcripts, &transcripts::told(inside, &message));
    }
    let field = match (&*of.field, model) {
        (_, Some(id)) => Field::Model(id.clone()),
        ("run_name", _) => Field::Name,
        ("dataset_id" | "dataset", _) => Field::Dataset,
        ("providers", _) => Field::Models,
        ("max_cost_usd", _) => Field::MaxCost,
        (other, _) => {
            return wrong(
                Field::Form,
                &format!("{other}: {}", by_buttons(&of.message)),
            );
        }
    };
    wrong(field, &by_buttons(&of.message))
}

/// Why a run was refused, field by field.
pub(super) fn problems(refusal: &Refusal, filled: &Filled) -> Vec<Wrong> {
    if refusal.fields.is_empty() {
        return vec![wrong(Field::Form, &by_buttons(&refusal.message))];
    }
    let mut all: Vec<Wrong> = refusal.fields.iter().map(|of| field(of, filled)).collect();
    // Of a table with many mistakes some are enough.
    if all.iter().all(|one| one.field == Field::Transcripts) {
        let (most, rest) = transcripts::shown(refusal);
        all.truncate(most);
        all.extend(rest.map(|rest| wrong(Field::Transcripts, &rest)));
    }
    if refusal.could_leave_out > 0 {
        let message = format!(
            "{} of its lines are of clips that the dataset does not have; tick below that they are \
             left out",
            refusal.could_leave_out
        );
        all.insert(0, wrong(Field::Transcripts, &message));
    }
    if refusal.of_another > 0 {
        let message = transcripts::of_another(refusal.of_another);
        all.insert(0, wrong(Field::Transcripts, &message));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_an_address_are_those_of_the_form() {
        let form = Filled {
            name: "दौड़ & <b>?=#".to_owned(),
            dataset: "ds_1".to_owned(),
            models: ["a/b", "custom/c d"].map(str::to_owned).into(),
            max_cost: "1,5".to_owned(),
            lossless_flac: true,
            blind_review: false,
            leave_out: true,
            transcripts: "mine".to_owned(),
            table: Some(Kept {
                id: "file_1".to_owned(),
                name: "a&b.csv".to_owned(),
            }),
            token: "secret".to_owned(),
        };
        let query = choices(&form).unwrap();
        assert!(query.bytes().all(|byte| byte.is_ascii_graphic()), "{query}");
        assert!(!query.contains("secret"), "{query}");
        let read = filled(&Pairs::any(&query));
        assert_eq!(
            Filled {
                token: form.token.clone(),
                ..read
            },
            form
        );
        let long = Filled {
            models: (0..400).map(|number| format!("custom/{number}")).collect(),
            ..form
        };
        assert_eq!(choices(&long), None);
        assert_eq!(choices(&Filled::default()).as_deref(), Some("run_name="));
        // A table without an id is none.
        assert_eq!(
            filled(&Pairs::any("run_name=a&kept=&kept_name=b")).table,
            None
        );
    }

    #[test]
    fn what_only_a_form_can_have_wrong_is_told_field_by_field() {
        let nothing = filled(&Pairs::any("max_cost_usd=12%2C50"));
        let fields: Vec<Field> = asked(&nothing, false)
            .unwrap_err()
            .into_iter()
            .map(|w| w.field)
            .collect();
        assert_eq!(
            fields,
            [Field::Name, Field::Dataset, Field::Models, Field::MaxCost]
        );
        for odd in ["NaN", "inf", "1e999", "12 dollars"] {
            let odd = Filled {
                max_cost: odd.to_owned(),
                ..filled(&Pairs::any("run_name=a&dataset_id=b&model.c=1"))
            };
            assert_eq!(asked(&odd, false).unwrap_err()[0].field, Field::MaxCost);
        }
        let good = filled(&Pairs::any(
            "run_name=a&dataset_id=b&model.c%2Fd=1&model.e=&max_cost_usd=+2.5+",
        ));
        let new = asked(&good, false).unwrap();
        assert_eq!(new.providers.unwrap(), ["c/d"]);
        assert_eq!((new.max_cost_usd, new.config), (Some(2.5), None));
        // A box without its tick is told where the deployment would send FLAC.
        let new = asked(&good, true).unwrap();
        assert_eq!(new.config.unwrap().0.lossless_flac, Some(false));
    }

    #[test]
    fn of_many_mistakes_of_a_table_some_are_told() {
        let mistake = |line: usize| {
            let field = format!("transcripts[0].manifest_file_id: line {line}");
            FieldError::new(&field, "is of no clip")
        };
        let mut refusal = Refusal::conflict("a table");
        refusal.fields = (1..=12).map(mistake).collect();
        let told = |refusal: &Refusal| -> Vec<String> {
            let all = problems(refusal, &Filled::default()).into_iter();
            all.map(|one| one.message).collect()
        };
        let all = told(&refusal);
        assert_eq!((all.len(), &*all[0]), (11, "line 1: is of no clip"));
        assert_eq!(all[10], "2 more of this kind");
        refusal.could_leave_out = 40;
        let all = told(&refusal);
        assert!(all[0].starts_with("40 of its lines"), "{all:?}");
        assert_eq!((all.len(), &*all[4]), (5, "37 more of this kind"));
    }

    #[test]
    fn a_field_of_the_service_is_found_in_the_form() {
        let filled = filled(&Pairs::any("model.a=1&model.b=1"));
        for (name, expected) in [
            ("providers[1]", Field::Model("b".to_owned())),
            ("providers", Field::Models),
            ("dataset_id", Field::Dataset),
            ("max_cost_usd", Field::MaxCost),
            ("providers[7]", Field::Form),
            ("config.prompt", Field::Form),
        ] {
            let of = FieldError::new(name, "is odd");
            assert_eq!(field(&of, &filled).field, expected, "{name}");
        }
    }
}

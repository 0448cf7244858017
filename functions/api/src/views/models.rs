//! Models of a project's own.

use stt_eval_shared::access::own_models::OwnModelRecord;
use stt_eval_shared::domain::dialect::Dialect;
use stt_eval_shared::providers;
use stt_eval_shared::providers::price::{Currency, ExchangeRates};
use stt_eval_shared::wire::models::{DialectChoice, DialectSwitches, OwnModel};

/// A model, without its key.
#[must_use]
pub fn own(record: OwnModelRecord) -> OwnModel {
    let has_api_key = record.has_key();
    let OwnModelRecord {
        credential,
        endpoint,
        ..
    } = record;
    let dialect = match &endpoint.dialect_name {
        Some(name) => DialectChoice::Named(name.clone()),
        None => DialectChoice::Switches(switches(&endpoint.dialect)),
    };
    // Only what it takes is read of it: a price is told as its project told it.
    let own = providers::OwnModel::of(endpoint.clone(), &ExchangeRates::ASSUMED);
    let model = own.model();
    let languages = model.supported_languages().into_iter();
    let (per_hour, currency) = match endpoint.price {
        Some(price) => (price.per_audio_hour, price.currency),
        None => (0.0, Currency::UsDollar.code().to_owned()),
    };
    OwnModel {
        id: model.id.to_owned(),
        has_api_key,
        dialect,
        languages: languages.map(|known| known.code.to_owned()).collect(),
        formats: model.formats.iter().map(|f| f.name.to_owned()).collect(),
        name: endpoint.name,
        base_url: endpoint.base_url,
        model: endpoint.model,
        max_bytes: endpoint.max_bytes,
        max_seconds: u64::from(endpoint.max_seconds),
        price_per_audio_hour: per_hour,
        currency,
        at_once: u64::from(endpoint.at_once),
        inserted_at: credential.inserted_at,
        updated_at: credential.updated_at,
    }
}

fn switches(dialect: &Dialect) -> DialectSwitches {
    DialectSwitches {
        path: Some(dialect.path.clone().into_owned()),
        auth: Some(dialect.auth),
        model: Some(dialect.model),
        response_format: Some(dialect.response_format),
        temperature: Some(dialect.temperature),
    }
}

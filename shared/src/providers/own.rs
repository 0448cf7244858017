//! Models of a project's own, as models like those of the catalogue.

use std::sync::Arc;

use time::OffsetDateTime;

use super::model::{AnyModel, Format, Languages, Model, Takes};
use super::price::{AudioPrice, Charge, ExchangeRates, Price};
use crate::domain::endpoint::Endpoint;
use crate::domain::language;

/// A model that a run can use.
#[derive(Debug, Clone, PartialEq)]
pub enum Offered {
    /// One of a vendor's folder.
    Catalogue(&'static Model),
    /// One of a project's own.
    Own(Arc<OwnModel>),
}

impl Offered {
    /// As a model.
    #[must_use]
    pub fn model(&self) -> AnyModel<'_> {
        match self {
            Self::Catalogue(model) => **model,
            Self::Own(own) => own.model(),
        }
    }

    /// Where and how it is asked, of one of a project's own.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Catalogue(_) => None,
            Self::Own(own) => Some(&own.endpoint),
        }
    }
}

/// An endpoint, and what an [`AnyModel`] lends of it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnModel {
    endpoint: Endpoint,
    id: String,
    languages: Option<Vec<(&'static str, &'static str)>>,
    formats: Vec<Format>,
    prices: Vec<Price>,
}

impl OwnModel {
    /// The model of an endpoint, priced at the operator's rates. What its record says that
    /// this release does not know, such as a language, is left out.
    #[must_use]
    pub fn of(endpoint: Endpoint, rates: &ExchangeRates) -> Self {
        let languages = endpoint.languages.as_ref().map(|codes| {
            let known = codes.iter().filter_map(|code| language::find(code));
            // Servers of the dialect take the codes of ISO 639, as they are ours.
            let pairs = known.map(|found| (found.language.code, found.language.code));
            pairs.collect()
        });
        let taken = |format: &&Format| match &endpoint.formats {
            None => true,
            Some(names) => names.iter().any(|name| name == format.name),
        };
        let price = endpoint.price.as_ref().and_then(|told| {
            let on = OffsetDateTime::from(told.told_at).date();
            Some(Price {
                valid_from: on,
                read_on: on,
                currency: rates.currency(&told.currency)?,
                charge: Charge::Audio(AudioPrice {
                    per_hour: told.per_audio_hour,
                    min_seconds: 0.0,
                    step_seconds: 0.0,
                }),
                audio_confirmed: true,
            })
        });
        Self {
            id: endpoint.id(),
            languages,
            formats: Format::EVERY.iter().filter(taken).copied().collect(),
            prices: price.into_iter().collect(),
            endpoint,
        }
    }

    /// As a model.
    #[must_use]
    pub fn model(&self) -> AnyModel<'_> {
        AnyModel {
            id: &self.id,
            provider: &self.id,
            model: &self.endpoint.model,
            display_name: &self.endpoint.name,
            languages: match &self.languages {
                None => Languages::All,
                Some(table) => Languages::Table(table),
            },
            max_audio_seconds: self.endpoint.max_seconds,
            max_file_bytes: self.endpoint.max_bytes,
            formats: &self.formats,
            prices: &self.prices,
            notes: "A model of this project's own.",
            takes: Takes {
                temperature: self.endpoint.dialect.temperature.then_some(0.0),
                ..Model::OF_CALLS.takes
            },
            ..Model::OF_CALLS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::dialect::Dialect;
    use crate::domain::endpoint::EndpointPrice;
    use crate::domain::usage::Usage;

    fn endpoint() -> Endpoint {
        Endpoint {
            name: "mine".to_owned(),
            base_url: "https://h/v1".to_owned(),
            model: "whisper-1".to_owned(),
            dialect: Dialect::OPENAI,
            dialect_name: None,
            languages: None,
            formats: None,
            max_bytes: 1_000,
            max_seconds: 60,
            price: None,
            at_once: 4,
        }
    }

    #[test]
    fn what_is_not_said_is_not_limited_and_costs_nothing() {
        let own = OwnModel::of(endpoint(), &ExchangeRates::ASSUMED);
        let model = own.model();
        assert_eq!((model.id, model.provider), ("custom/mine", "custom/mine"));
        assert_eq!(model.model, "whisper-1");
        assert_eq!(model.language_code("or-IN"), Some("or"));
        assert_eq!(model.formats.len(), Format::EVERY.len());
        let today = OffsetDateTime::from(Timestamp::default()).date();
        assert!(model.cost_usd(&Usage::default(), 3_600.0, today).abs() < 1e-12);
        assert!(model.takes_audio("audio/wav", 1_001, 1.0).is_err());
        assert!(model.takes_audio("audio/wav", 1_000, 61.0).is_err());
    }

    #[test]
    fn what_is_said_holds() {
        let told = Endpoint {
            languages: Some(vec!["hi".to_owned(), "of-a-later-release".to_owned()]),
            formats: Some(vec!["wav".to_owned()]),
            price: Some(EndpointPrice {
                per_audio_hour: 30.0,
                currency: "INR".to_owned(),
                told_at: Timestamp::default(),
            }),
            dialect: Dialect {
                temperature: false,
                ..Dialect::OPENAI
            },
            ..endpoint()
        };
        let rates = ExchangeRates { rupee_in_usd: 0.02 };
        let own = OwnModel::of(told, &rates);
        let model = own.model();
        assert_eq!(model.language_code("hi-IN"), Some("hi"));
        assert_eq!(model.language_code("ta"), None);
        assert!(model.takes_audio("audio/mpeg", 1, 1.0).is_err());
        assert_eq!(model.takes.temperature, None);
        let today = OffsetDateTime::from(Timestamp::default()).date();
        let cost = model.cost_usd(&Usage::default(), 1_800.0, today);
        assert!((cost - 15.0 * 0.02).abs() < 1e-9, "{cost}");
    }
}

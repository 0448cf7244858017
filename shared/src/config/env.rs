//! Reading variables, from wherever they are.

use std::time::Duration;

use super::error::ConfigError;

/// Variables by name.
pub(super) struct Reader<F>(pub(super) F);

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn optional(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, variable: &str) -> Result<String, ConfigError> {
        self.optional(variable).ok_or_else(|| ConfigError {
            variable: variable.to_owned(),
            problem: "is not set".to_owned(),
        })
    }

    pub(super) fn parsed<T: std::str::FromStr>(
        &self,
        variable: &str,
        wanted: &str,
    ) -> Result<Option<T>, ConfigError> {
        self.optional(variable)
            .map(|value| {
                value.parse().map_err(|_| ConfigError {
                    variable: variable.to_owned(),
                    problem: format!("must be {wanted}"),
                })
            })
            .transpose()
    }

    /// A number of seconds into what has a default.
    pub(super) fn seconds(&self, variable: &str, target: &mut Duration) -> Result<(), ConfigError> {
        let mut read = None;
        self.seconds_if_set(variable, &mut read)?;
        if let Some(read) = read {
            *target = read;
        }
        Ok(())
    }

    /// A number of seconds into what may stay unset.
    pub(super) fn seconds_if_set(
        &self,
        variable: &str,
        target: &mut Option<Duration>,
    ) -> Result<(), ConfigError> {
        let value: Option<f64> = self.parsed(variable, "a number of seconds")?;
        if let Some(seconds) = value {
            let read = Duration::try_from_secs_f64(seconds).map_err(|_| ConfigError {
                variable: variable.to_owned(),
                problem: "must be a number of seconds, 0 or more".to_owned(),
            })?;
            *target = Some(read);
        }
        Ok(())
    }
}

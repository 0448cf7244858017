//! Formats as the service calls them.

use crate::providers::model::Format;

/// What the service calls the format of a MIME type of ours: by the same names.
pub(super) fn service_format(mime_type: &str) -> Option<&'static str> {
    let mut formats = Format::EVERY.iter();
    let format = formats.find(|format| format.mime_type == mime_type)?;
    Some(format.name)
}

#[cfg(test)]
mod tests {
    use aws_sdk_transcribe::types::MediaFormat;

    use super::*;

    #[test]
    fn the_service_has_every_format_of_ours() {
        for format in Format::EVERY {
            let name = service_format(format.mime_type).unwrap();
            assert!(MediaFormat::values().contains(&name), "{name}");
        }
        assert_eq!(service_format("audio/aiff"), None);
    }
}

//! What lists of objects need besides what `s3s-fs` puts in them.

use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectVersion,
    ObjectVersionStorageClass,
};

use super::event::form_encoded;
use super::files::Layout;

/// Either kind of list.
pub(super) trait Listing {
    fn bucket(&self) -> Option<&str>;
    fn url_encoded(&self) -> bool;
    fn contents(&mut self) -> Option<&mut Vec<Object>>;
    fn prefixes(&mut self) -> Option<&mut Vec<CommonPrefix>>;
    /// The parameters of the request that the answer repeats.
    fn echoes(&mut self) -> Vec<&mut Option<String>>;
}

macro_rules! listing {
    ($output:ty, $($echo:ident),*) => {
        impl Listing for $output {
            fn bucket(&self) -> Option<&str> {
                self.name.as_deref()
            }
            fn url_encoded(&self) -> bool {
                self.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == EncodingType::URL)
            }
            fn contents(&mut self) -> Option<&mut Vec<Object>> {
                self.contents.as_mut()
            }
            fn prefixes(&mut self) -> Option<&mut Vec<CommonPrefix>> {
                self.common_prefixes.as_mut()
            }
            fn echoes(&mut self) -> Vec<&mut Option<String>> {
                vec![$(&mut self.$echo),*]
            }
        }
    };
}
listing!(ListObjectsOutput, prefix, delimiter, marker, next_marker);
listing!(ListObjectsV2Output, prefix, delimiter, start_after);

/// A page has at most 1,000 keys.
pub(super) fn cap(max_keys: &mut Option<i32>) {
    *max_keys = max_keys.map(|keys| keys.clamp(0, 1000));
}

/// Adds the entity tags.
pub(super) async fn add_etags(layout: &Layout, output: &mut impl Listing) {
    let bucket = output.bucket().unwrap_or_default().to_owned();
    for object in output.contents().into_iter().flatten() {
        if let Some(key) = &object.key {
            object.e_tag = layout.etag(&bucket, key).await.map(ETag::Strong);
        }
    }
}

/// Encodes keys, if the client asked for that: boto3 does, and decodes them.
pub(super) fn encode(output: &mut impl Listing) {
    if !output.url_encoded() {
        return;
    }
    for object in output.contents().into_iter().flatten() {
        object.key = object.key.as_deref().map(form_encoded);
    }
    for prefix in output.prefixes().into_iter().flatten() {
        prefix.prefix = prefix.prefix.as_deref().map(form_encoded);
    }
    for echo in output.echoes() {
        *echo = echo.as_deref().map(form_encoded);
    }
}

pub(super) fn without_versions(input: ListObjectVersionsInput) -> ListObjectsV2Input {
    ListObjectsV2Input {
        bucket: input.bucket,
        delimiter: input.delimiter,
        encoding_type: input.encoding_type,
        max_keys: input.max_keys,
        prefix: input.prefix,
        start_after: input.key_marker,
        continuation_token: None,
        expected_bucket_owner: None,
        fetch_owner: None,
        optional_object_attributes: None,
        request_payer: None,
    }
}

pub(super) fn with_versions(output: ListObjectsV2Output) -> ListObjectVersionsOutput {
    let version = |object: Object| ObjectVersion {
        e_tag: object.e_tag,
        is_latest: Some(true),
        key: object.key,
        last_modified: object.last_modified,
        size: object.size,
        storage_class: Some(ObjectVersionStorageClass::from_static(
            ObjectVersionStorageClass::STANDARD,
        )),
        version_id: Some("null".to_owned()),
        ..ObjectVersion::default()
    };
    let versions = output.contents.unwrap_or_default();
    ListObjectVersionsOutput {
        common_prefixes: output.common_prefixes,
        delimiter: output.delimiter,
        encoding_type: output.encoding_type,
        is_truncated: output.is_truncated,
        key_marker: output.start_after,
        max_keys: output.max_keys,
        name: output.name,
        next_version_id_marker: output
            .next_continuation_token
            .as_ref()
            .map(|_| "null".to_owned()),
        next_key_marker: output.next_continuation_token,
        prefix: output.prefix,
        versions: Some(versions.into_iter().map(version).collect()),
        ..ListObjectVersionsOutput::default()
    }
}

//! The types of the package `pipeline:api` that can occur in a signature.

/// A type of `pipeline:api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiType {
    /// The interface that declares the type.
    pub interface: &'static str,
    /// The name in WIT.
    pub name: &'static str,
    /// The name in the SDKs.
    pub class: &'static str,
}

/// The error of stages.
pub const ERROR: ApiType = ApiType { interface: "errors", name: "error", class: "Error" };

/// The types of `pipeline:api` that can occur in a signature.
pub const API_TYPES: &[ApiType] = &[
    ApiType { interface: "cache", name: "cache-sharing", class: "CacheSharing" },
    ApiType { interface: "cache", name: "cache-volume", class: "CacheVolume" },
    ApiType { interface: "container", name: "container", class: "Container" },
    ApiType { interface: "container", name: "port", class: "Port" },
    ApiType { interface: "container", name: "protocol", class: "Protocol" },
    ApiType { interface: "directory", name: "directory", class: "Directory" },
    ApiType { interface: "directory", name: "match-part", class: "MatchPart" },
    ApiType { interface: "directory", name: "search-match", class: "SearchMatch" },
    ApiType { interface: "directory", name: "search-result", class: "SearchResult" },
    ApiType { interface: "file", name: "file", class: "File" },
    ApiType { interface: "file", name: "stat", class: "Stat" },
    ApiType { interface: "report", name: "report", class: "Report" },
    ApiType { interface: "report", name: "test-case", class: "TestCase" },
    ApiType { interface: "report", name: "verdict", class: "Verdict" },
    ApiType { interface: "secret", name: "secret", class: "Secret" },
    ApiType { interface: "service", name: "service", class: "Service" },
];

//! How bad a finding is.

/// How bad a finding is.  A contract: it is in every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely wrong.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// Whether it changes the exit status, is printed as it happens, fails a test, and interrupts the thread with `--on-finding`.
    pub fn is_serious(self) -> bool {
        self > Severity::Info
    }

    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

//! The smallest plugin of `cargo pmcp loadtest`; it gains its ten lines with the guest SDK.

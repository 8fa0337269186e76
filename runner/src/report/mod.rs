//! A finished run and its renderings: value in, text out. Pure.

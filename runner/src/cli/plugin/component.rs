//! From the module that the compiler made to the component that is run and shared.
//!
//! In: the bytes of a core module. Out: the bytes of a component that imports nothing but our interface, and that interface's version.

use wit_component::{ComponentEncoder, DecodedWasm};

use crate::error::{Error, ExitCode};

/// The package of the interface that host and plugin speak.
const PACKAGE: &str = "pmcp:loadtest/";

/// A plugin, whole.
#[derive(Debug)]
pub(super) struct Component {
    /// The file's content.
    pub(super) bytes: Vec<u8>,
    /// Version of the interface that it speaks, such as `0.1.0`.
    pub(super) interface: String,
}

impl Component {
    /// Makes a component of a module.
    ///
    /// # Errors
    /// [`ExitCode::Plugin`] where the module is no plugin, or wants more than a plugin may have.
    pub(super) fn of_module(module: &[u8]) -> Result<Self, Error> {
        let encoded =
            ComponentEncoder::default().module(module).and_then(|encoder| encoder.validate(true).encode());
        let bytes = encoded.map_err(|error| {
            let reasons: Vec<String> = error.chain().map(ToString::to_string).collect();
            refused("the crate builds no plugin").because(reasons.join(": ")).advise(ADVICE)
        })?;
        let interface = interface_of(&bytes)?;
        Ok(Self { bytes, interface })
    }
}

const ADVICE: &str = "a plugin implements `Plugin` and says `plugin!(ItsType);` once; neither it nor a crate it uses may need a browser, \
                      WASI or another host";

fn refused(what: impl Into<String>) -> Error {
    Error::new(ExitCode::Plugin, what)
}

/// The version of the interface that a component exports, if it imports nothing else.
fn interface_of(component: &[u8]) -> Result<String, Error> {
    let unreadable =
        |error: String| Error::new(ExitCode::Internal, "the component cannot be read back").because(error);
    let decoded = wit_component::decode(component).map_err(|error| unreadable(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(unreadable("it is a package of interfaces".to_owned()));
    };
    let world = &resolve.worlds[world];
    let names = |items: &mut dyn Iterator<Item = &wit_parser::WorldKey>| -> Vec<String> {
        items.map(|key| resolve.name_world_key(key)).collect()
    };
    let strays: Vec<String> =
        names(&mut world.imports.keys()).into_iter().filter(|name| !name.starts_with(PACKAGE)).collect();
    if !strays.is_empty() {
        let what = format!("the plugin wants what no host of plugins has: {}", strays.join(", "));
        return Err(refused(what).advise(ADVICE));
    }
    let exports = names(&mut world.exports.keys());
    let version = exports.iter().find_map(|name| name.strip_prefix("pmcp:loadtest/plugin@"));
    version.map(str::to_owned).ok_or_else(|| refused("the crate builds no plugin").advise(ADVICE))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest module: a magic number and a version.
    const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn what_is_no_module_or_no_plugin_is_refused_as_a_broken_plugin() {
        for (bytes, reason) in [
            (EMPTY, "builds no plugin"),
            (b"not wasm at all".as_slice(), "builds no plugin"),
            (b"", "no plugin"),
        ] {
            let error = Component::of_module(bytes).unwrap_err();
            assert_eq!(error.exit, ExitCode::Plugin);
            assert!(error.to_string().contains(reason) && error.to_string().contains("next: "), "{error}");
        }
    }
}

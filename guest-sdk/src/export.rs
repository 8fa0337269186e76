//! From the author's trait to the exports of the component: what [`plugin!`](crate::plugin!) expands to.

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Once;

use crate::bindings::exports::pmcp::loadtest::plugin::{Guest, GuestScenario, Scenario};
use crate::player::{Player, Setup};
use crate::{Plugin, imports, wire};

/// Makes a type that implements [`Plugin`] the plugin of this crate: once per crate, and nothing else is exported.
///
/// Name, version and description are those of the author's `Cargo.toml`. A panic tells the host its message and place before the
/// instance is dropped. On other targets than WebAssembly, and so in tests, nothing is exported.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty) => {
        impl $crate::export::Package for $plugin {
            const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
            const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
            const DESCRIPTION: &'static str = ::core::env!("CARGO_PKG_DESCRIPTION");
        }

        // Where nothing is exported, too, the type is in use.
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Manifest = <$plugin as $crate::Plugin>::manifest;

        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::export::Exported<$plugin>;
    $crate::bindings::export_plugin!(Exported with_types_in $crate::bindings);
        };
    };
}

/// The package that a plugin is the plugin of.
pub trait Package {
    /// Its name.
    const NAME: &'static str;
    /// Its version.
    const VERSION: &'static str;
    /// Its description.
    const DESCRIPTION: &'static str;
}

/// The exports of a component whose plugin is `P`.
#[derive(Debug)]
pub struct Exported<P>(PhantomData<P>);

thread_local! {
    /// The [`Setup`] of this instance's plugin; of any type, since a static cannot be generic. A component has one thread.
    static SETUP: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

impl<P: Plugin + Package> Guest for Exported<P> {
    type Scenario = Actor<P>;

    fn describe() -> wire::Manifest {
        report_panics();
        P::manifest().into_wire(P::NAME, P::VERSION, P::DESCRIPTION)
    }

    fn setup(info: wire::SetupInfo) -> Result<(), String> {
        report_panics();
        let setup = Setup::<P>::new(info)?;
        SETUP.set(Some(Box::new(setup)));
        Ok(())
    }

    fn open(vu: wire::VuContext) -> Result<Scenario, String> {
        let player = SETUP.with_borrow(|setup| {
            let setup = setup.as_ref().and_then(|setup| setup.downcast_ref::<Setup<P>>());
            setup.ok_or("`open` was called before `setup`")?.open(vu)
        })?;
        Ok(Scenario::new(Actor(RefCell::new(player))))
    }
}

/// One virtual user's plugin behind the boundary's shared references. The host never calls it while a call is under way.
#[derive(Debug)]
pub struct Actor<P>(RefCell<Player<P>>);

impl<P: Plugin + Package> GuestScenario for Actor<P> {
    fn next(&self, turn: wire::Turn) -> Result<Vec<wire::Plan>, String> {
        self.0.borrow_mut().next(turn)
    }

    fn finish(&self, outcomes: Vec<wire::Outcome>) -> Option<wire::Findings> {
        self.0.borrow_mut().finish(outcomes)
    }
}

/// Has panics told to the host, which otherwise sees an unreachable instruction and no more. A panic aborts in WebAssembly.
fn report_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let payload = panic.payload();
            let message = payload.downcast_ref::<&str>().copied();
            let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let location = panic.location().map(ToString::to_string).unwrap_or_default();
            imports::panicked(message.unwrap_or("a panic without a message"), &location);
        }));
    });
}

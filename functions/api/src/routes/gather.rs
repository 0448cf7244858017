//! Routes that serve requests, or the document that describes them.
//!
//! Both are made of the same handlers. They are apart because the document takes
//! longer to make than everything else that a start of the function does, and its
//! making is a twelfth of the function: that is left to those who ask for it.

use axum::Router;
use axum::routing::MethodRouter;
use stt_eval_shared::App;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The handlers of one path; made by [`handlers!`](handlers).
pub trait Handlers {
    /// The path, and what answers there.
    fn serve() -> (String, MethodRouter<App>);

    /// The same with its description.
    fn describe() -> UtoipaMethodRouter<App>;
}

/// What routes are gathered in.
pub trait Gather: Default {
    /// Adds the handlers of a path.
    #[must_use]
    fn with<H: Handlers>(self, handlers: H) -> Self;

    /// Adds all of another.
    #[must_use]
    fn and(self, other: Self) -> Self;

    /// Adds all of another below a path.
    #[must_use]
    fn below(self, path: &str, other: Self) -> Self;
}

impl Gather for Router<App> {
    fn with<H: Handlers>(self, _: H) -> Self {
        let (path, handlers) = H::serve();
        self.route(&path, handlers)
    }

    fn and(self, other: Self) -> Self {
        self.merge(other)
    }

    fn below(self, path: &str, other: Self) -> Self {
        self.nest(path, other)
    }
}

impl Gather for OpenApiRouter<App> {
    fn with<H: Handlers>(self, _: H) -> Self {
        self.routes(H::describe())
    }

    fn and(self, other: Self) -> Self {
        self.merge(other)
    }

    fn below(self, path: &str, other: Self) -> Self {
        self.nest(path, other)
    }
}

/// The handlers of one path, by name.
macro_rules! handlers {
    ($($handler:ident),+) => {{
        struct Named;

        impl $crate::routes::gather::Handlers for Named {
            fn serve() -> (String, axum::routing::MethodRouter<stt_eval_shared::App>) {
                use utoipa_axum::PathItemExt as _;
                let mut router = axum::routing::MethodRouter::new();
                utoipa_axum::paste! {
                    let [path, ..] = [$(<[<__path_ $handler>] as utoipa::Path>::path()),+];
                    $(
                        for method in <[<__path_ $handler>] as utoipa::Path>::methods() {
                            router = router.on(method.to_method_filter(), $handler);
                        }
                    )+
                }
                (path, router)
            }

            fn describe() -> utoipa_axum::router::UtoipaMethodRouter<stt_eval_shared::App> {
                utoipa_axum::routes!($($handler),+)
            }
        }

        Named
    }};
}

pub(crate) use handlers;

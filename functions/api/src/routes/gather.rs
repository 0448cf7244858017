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

/// Routes that serve requests, for a [`Router`] that takes each of them in once: merging
/// and nesting routers takes them in anew each time, which was a good part of a start.
#[derive(Default)]
pub struct Served(Vec<(String, MethodRouter<App>)>);

impl Served {
    /// Adds what answers at a path.
    #[must_use]
    pub fn route(mut self, path: &str, handlers: MethodRouter<App>) -> Self {
        self.0.push((path.to_owned(), handlers));
        self
    }

    /// The same routes, with something around each of them.
    #[must_use]
    pub fn each(mut self, around: impl Fn(MethodRouter<App>) -> MethodRouter<App>) -> Self {
        let changed = self.0.into_iter().map(|(path, made)| (path, around(made)));
        self.0 = changed.collect();
        self
    }

    /// All of them.
    pub fn router(self) -> Router<App> {
        let add =
            |router: Router<App>, (path, handlers): (String, _)| router.route(&path, handlers);
        self.0.into_iter().fold(Router::new(), add)
    }
}

impl Gather for Served {
    fn with<H: Handlers>(self, _: H) -> Self {
        let (path, handlers) = H::serve();
        self.route(&path, handlers)
    }

    fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn below(mut self, path: &str, other: Self) -> Self {
        let below = |(end, handlers)| (format!("{path}{end}"), handlers);
        self.0.extend(other.0.into_iter().map(below));
        self
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

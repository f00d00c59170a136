// Errors are values: Result<T, E> and the macros that pass an error up.
//
// Result is tl::expected behind an alias, so that std::expected can take its place in one line once
// both compilers have it.
#pragma once

#include "base/error.h"

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace aoe {

template <class T, class E = Error>
using Result = tl::expected<T, E>;

// `return fail(error);` from a function that returns any Result with that error type.
template <class E>
[[nodiscard]] constexpr auto fail(E error) {
  return tl::unexpected<E>(std::move(error));
}

// `return fail_with(Errc::io, errno, "e7.1: open /x");` builds the usual error of an edge.
[[nodiscard]] inline auto fail_with(Errc code, int os_errno, std::string message) {
  return tl::unexpected<Error>(Error{code, os_errno, std::move(message)});
}

}  // namespace aoe

#define AOE_CONCAT_INNER(a, b) a##b
#define AOE_CONCAT(a, b) AOE_CONCAT_INNER(a, b)

// Evaluates a Result<void, E>; returns its error from the enclosing function if it has one.
#define AOE_TRY(expr)                                        \
  do {                                                       \
    if (auto aoe_try_result = (expr); !aoe_try_result) {     \
      return ::aoe::fail(std::move(aoe_try_result).error()); \
    }                                                        \
  } while (false)

// AOE_TRY_ASSIGN(auto file, open(..)); declares or assigns the value, or returns the error.
#define AOE_TRY_ASSIGN(lhs, expr) AOE_TRY_ASSIGN_IMPL(AOE_CONCAT(aoe_try_, __LINE__), lhs, expr)
// NOLINTBEGIN(bugprone-macro-parentheses): `lhs` may be a declaration, `tmp` is declared here
#define AOE_TRY_ASSIGN_IMPL(tmp, lhs, expr)     \
  auto tmp = (expr);                            \
  if (!tmp) {                                   \
    return ::aoe::fail(std::move(tmp).error()); \
  }                                             \
  lhs = *std::move(tmp)
// NOLINTEND(bugprone-macro-parentheses): end of the macro

// What stands around the body of every exported call.
#pragma once

#include "base/result.h"
#include "libaoe/last_error.h"

#include <cerrno>
#include <exception>
#include <new>
#include <string>

namespace aoe::libaoe {

// Runs a body that returns Result<T>, T an integer: its value, or -1 and the thread's last error.
// No exception passes into the caller's C code.
template <class Body>
auto run_call(const char* name, Body body) noexcept -> typename decltype(body())::value_type {
  try {
    auto result = body();
    if (result) {
      return *result;
    }
    set_last_error(name, result.error());
  } catch (const std::bad_alloc&) {
    set_last_error(name, {Errc::io, ENOMEM, "no memory left"});
  } catch (const std::exception& failure) {
    set_last_error(name, {Errc::io, EIO, failure.what()});
  }
  return -1;
}

// A pointer that the caller owes us.
template <class T>
Result<void> require(T* pointer, const char* what) {
  if (pointer == nullptr) {
    return fail_with(Errc::invalid_argument, 0, std::string(what) + ": NULL");
  }
  return {};
}

}  // namespace aoe::libaoe

// The error of an operation at an edge: the OS, a store, a configuration, a control request.
//
// Frames have their own small error types (protocol), ATA results are values and not errors at all.
#pragma once

#include <cstdint>
#include <string>

namespace aoe {

enum class Errc : std::uint8_t {
  io,                // the OS or a device reported a failure; os_errno says which
  invalid_argument,  // a value is malformed or out of its range
  not_found,         // a file, interface, export or device does not exist
  already_exists,    // the name or address is taken
  busy,              // in use now; later may work
  not_permitted,     // privileges or an access list forbid it
  timed_out,         // no answer in the time allowed
  unsupported,       // the peer, the kernel or the build cannot do it
  corrupt,           // stored data fails its checksum or makes no sense
  no_space,          // the backing store or a table is full
  unavailable,       // the peer or the backing is not there at the moment
};

// `message` is a complete text for people: "object: what failed: reason (hint)", lower case, no
// full stop, naming the value and the limit. os_errno is 0 when no system call is behind the error.
struct Error {
  Errc code = Errc::io;
  int os_errno = 0;
  std::string message;
};

// "not_found" and so on: stable names for logs, JSON and tests.
[[nodiscard]] const char* errc_name(Errc code);

}  // namespace aoe

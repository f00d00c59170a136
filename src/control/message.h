// The messages of the control socket: one JSON object a line, both ways.
//
//   request   {"version":1,"id":7,"method":"target.list","params":{}}
//   result    {"version":1,"id":7,"result":{..}}
//   error     {"version":1,"id":7,"error":{"code":"not_found","message":"e7.1: .."}}
//   event     {"version":1,"event":{"type":"..",..}}
//
// `id` is an integer or a text of the client's choice and comes back unchanged; it is null where
// the request could not be understood far enough to have one. `params` may be left out. The codes
// are those of errc_name (base/error.h). Members that this version does not know are ignored.
//
// Everything here is pure: bytes in, values out, nothing thrown.
#pragma once

#include "base/error.h"
#include "base/result.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace aoe::control {

using Json = nlohmann::json;

inline constexpr int kProtocolVersion = 1;
// The longest request a server takes, without its newline.
inline constexpr std::size_t kRequestBytesMax = std::size_t{1} << 20U;
// How deep arrays and objects may nest. Far above any real message; what is deeper would let a
// client choose how much stack we use.
inline constexpr std::size_t kNestingMax = 32;

struct Request {
  Json id;
  std::string method;
  Json params = Json::object();
};

// Why a line is not a request, with the id where one could be read (else null), so that every line
// gets an answer.
struct RequestError {
  Json id;
  Error error;
};

// Any bytes. Errors: invalid_argument (not JSON, not an object, a member of the wrong type),
// unsupported (another version).
[[nodiscard]] Result<Request, RequestError> parse_request(std::string_view line);

// What a client receives. Exactly one of result, error and event is meaningful, as `kind` says.
struct Message {
  enum class Kind : std::uint8_t { result, error, event };
  Kind kind = Kind::result;
  Json id;
  Json body;  // the result or the event
  Error error;
};

// Errors: corrupt (not a message of this protocol), unsupported (another version).
[[nodiscard]] Result<Message> parse_message(std::string_view line);

// Each is one line with its newline. Bytes that are not UTF-8, as a config string may hold, become
// U+FFFD: JSON cannot carry them.
[[nodiscard]] std::string format_request(const Request& request);
[[nodiscard]] std::string format_result(const Json& id, const Json& result);
[[nodiscard]] std::string format_error(const Json& id, const Error& error);
[[nodiscard]] std::string format_event(const Json& event);

// The inverse of errc_name; an unknown name, from a newer daemon, reads as io.
[[nodiscard]] Errc errc_from_name(std::string_view name);

}  // namespace aoe::control

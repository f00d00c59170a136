#include "control/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aoe::control {
namespace {

constexpr std::array kAllCodes{
    Errc::io,      Errc::invalid_argument, Errc::not_found,   Errc::already_exists,
    Errc::busy,    Errc::not_permitted,    Errc::timed_out,   Errc::unsupported,
    Errc::corrupt, Errc::no_space,         Errc::unavailable,
};

std::string to_line(const Json& message) {
  std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace);
  line.push_back('\n');
  return line;
}

// Looks at brackets outside strings only; whether they match is the parser's affair.
bool nests_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kNestingMax) {
        return true;
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

// Discarded where the text is not one JSON object.
Json parse_object(std::string_view line) {
  if (nests_too_deep(line)) {
    return Json(Json::value_t::discarded);
  }
  Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : Json(Json::value_t::discarded);
}

bool has_our_version(const Json& object) {
  const auto version = object.find("version");
  return version != object.end() && version->is_number_integer() && *version == kProtocolVersion;
}

Error bad_request(const char* what) {
  return {Errc::invalid_argument, 0, fmt::format("control request: {}", what)};
}

}  // namespace

Result<Request, RequestError> parse_request(std::string_view line) {
  const Json object = parse_object(line);
  if (object.is_discarded()) {
    return fail(RequestError{nullptr, bad_request("not a JSON object on one line")});
  }
  Request request;
  if (const auto id = object.find("id"); id != object.end()) {
    if (!id->is_number_integer() && !id->is_string()) {
      return fail(RequestError{nullptr, bad_request("id: neither an integer nor a text")});
    }
    request.id = *id;
  } else {
    return fail(RequestError{nullptr, bad_request("id: missing")});
  }
  if (!has_our_version(object)) {
    return fail(RequestError{
        request.id, Error{Errc::unsupported, 0,
                          fmt::format("control request: version: this daemon speaks version {}",
                                      kProtocolVersion)}});
  }
  const auto method = object.find("method");
  if (method == object.end() || !method->is_string()) {
    return fail(RequestError{request.id, bad_request("method: missing or not a text")});
  }
  request.method = method->get<std::string>();
  if (const auto params = object.find("params"); params != object.end()) {
    if (!params->is_object()) {
      return fail(RequestError{request.id, bad_request("params: not an object")});
    }
    request.params = *params;
  }
  return request;
}

Result<Message> parse_message(std::string_view line) {
  const auto corrupt = [](const char* what) {
    return fail_with(Errc::corrupt, 0, fmt::format("control answer: {}", what));
  };
  Json object = parse_object(line);
  if (object.is_discarded()) {
    return corrupt("not a JSON object on one line");
  }
  if (!has_our_version(object)) {
    return fail_with(
        Errc::unsupported, 0,
        fmt::format("control answer: version: this program speaks version {}", kProtocolVersion));
  }
  Message message;
  message.id = object.value("id", Json());
  if (const auto event = object.find("event"); event != object.end()) {
    message.kind = Message::Kind::event;
    message.body = std::move(*event);
    return message;
  }
  if (const auto result = object.find("result"); result != object.end()) {
    message.body = std::move(*result);
    return message;
  }
  const auto error = object.find("error");
  if (error == object.end() || !error->is_object()) {
    return corrupt("neither result nor error nor event");
  }
  const auto code = error->find("code");
  const auto text = error->find("message");
  if (code == error->end() || !code->is_string() || text == error->end() || !text->is_string()) {
    return corrupt("error: code or message is missing");
  }
  message.kind = Message::Kind::error;
  message.error = {errc_from_name(code->get<std::string>()), 0, text->get<std::string>()};
  return message;
}

std::string format_request(const Request& request) {
  return to_line({{"version", kProtocolVersion},
                  {"id", request.id},
                  {"method", request.method},
                  {"params", request.params}});
}

std::string format_result(const Json& id, const Json& result) {
  return to_line({{"version", kProtocolVersion}, {"id", id}, {"result", result}});
}

std::string format_error(const Json& id, const Error& error) {
  return to_line({{"version", kProtocolVersion},
                  {"id", id},
                  {"error", {{"code", errc_name(error.code)}, {"message", error.message}}}});
}

std::string format_event(const Json& event) {
  return to_line({{"version", kProtocolVersion}, {"event", event}});
}

Errc errc_from_name(std::string_view name) {
  const auto* const found = std::find_if(kAllCodes.begin(), kAllCodes.end(),
                                         [&](Errc code) { return name == errc_name(code); });
  return found == kAllCodes.end() ? Errc::io : *found;
}

}  // namespace aoe::control

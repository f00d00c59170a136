// Any bytes at the control socket: lines are cut and parsed, what is understood survives a round
// trip, what is not has an answer. The first byte chooses how the bytes arrive in pieces.
#include "base/check.h"
#include "control/line_splitter.h"
#include "control/message.h"
#include "fuzz/fuzz_entry.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aoe::control {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

void try_line(std::string_view line) {
  const auto request = parse_request(line);
  if (!request) {
    const auto answer = parse_message(format_error(request.error().id, request.error().error));
    AOE_CHECK(answer.has_value(), "an error answer can be read");
    AOE_CHECK(answer->id == request.error().id, "an error answer carries the id");
  } else {
    const auto again = parse_request(format_request(*request));
    AOE_CHECK(again.has_value(), "a request that was read can be read again");
    AOE_CHECK(again->method == request->method, "the method survives");
    AOE_CHECK(parse_message(format_result(request->id, request->params)).has_value(),
              "a result can be read");
  }
  (void)parse_message(line);
}

void try_stream(std::size_t piece, std::string_view text) {
  LineSplitter splitter(kLineBytesMax);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    splitter.append(text.substr(at, piece));
    while (const auto line = splitter.next_line()) {
      AOE_CHECK(line->size() <= kLineBytesMax, "the limit holds");
      try_line(*line);
    }
    AOE_CHECK(splitter.buffered_bytes() <= kLineBytesMax + piece, "what is kept is bounded");
  }
  try_line(splitter.take_rest());
}

}  // namespace
}  // namespace aoe::control

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string text(data + 1, data + size);
  aoe::control::try_stream(std::size_t{data[0]} + 1, text);
  return 0;
}

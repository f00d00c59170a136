// The process that watches over a server and starts another one when it has died.
#pragma once

#include "base/result.h"
#include "frontends/ublk/options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aoe::ublk {

// What a server tells the guard, and the guard whoever called: one line, "3 SERIAL".
struct ReadyLine {
  std::uint32_t number = 0;
  std::string serial{};
};

[[nodiscard]] std::string to_string(const ReadyLine& line);
[[nodiscard]] Result<ReadyLine> parse_ready_line(const std::string& line);

// The command line of the server that goes on with a device: only with the same disk.
[[nodiscard]] std::vector<std::string> resume_arguments(const std::string& uri,
                                                        const ReadyLine& device);

// Starts a guard in the background, which starts the server: this program with --foreground. The
// server is a process of its own, and of the program's file as it is at that moment, so that an
// upgrade needs only its end. Returns the number of the device once it can be used. Errors: io;
// unavailable (the server ended; it has said why to standard error).
[[nodiscard]] Result<std::uint32_t> start_guarded(const Options& options);

}  // namespace aoe::ublk

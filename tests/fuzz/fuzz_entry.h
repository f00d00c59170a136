// What every harness defines: one input of any bytes. Bytes live in an allocation of exactly their
// size, so that AddressSanitizer sees every step outside.
#pragma once

#include <cstddef>
#include <cstdint>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

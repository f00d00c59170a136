// Capture files in the classic pcap format, Ethernet only.
//
// Layout [draft-ietf-opsawg-pcap, "PCAP Capture File Format"], integers in the writer's byte order:
//
//   file header, 24 bytes   0 magic: a1b2c3d4 (microseconds) or a1b23c4d (nanoseconds)
//                           4 major version 2   6 minor version 4   8 reserved, 8 bytes
//                           16 snapshot length  20 link type (low 16 bits): 1 = Ethernet
//   record, 16 bytes + data 0 seconds           4 microseconds or nanoseconds
//                           8 bytes in the file 12 bytes on the wire
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "os/fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::net {

struct PcapRecord {
  std::int64_t timestamp_ns = 0;  // since 1970
  std::uint32_t wire_bytes = 0;   // the frame's length; more than frame.size() when it was cut
  ConstByteSpan frame;            // borrows from the reader's bytes
};

// Iterates over the records of a capture that lies in memory. Any bytes are safe to give to it.
class PcapReader {
 public:
  // `file` must outlive the reader and its records. Errors: corrupt (no pcap file), unsupported
  // (pcapng, or not Ethernet).
  [[nodiscard]] static Result<PcapReader> open(ConstByteSpan file);

  // The next record; nullopt at the end. Error: corrupt (a record that claims more bytes than the
  // file has); after it the reader is at its end.
  [[nodiscard]] Result<std::optional<PcapRecord>> next();

 private:
  enum class ByteOrder : bool { little, big };

  PcapReader(ConstByteSpan rest, ByteOrder order, std::int64_t ns_per_tick)
      : rest_(rest), order_(order), ns_per_tick_(ns_per_tick) {}

  [[nodiscard]] std::uint32_t load(std::size_t at) const;

  ConstByteSpan rest_;
  ByteOrder order_;
  std::int64_t ns_per_tick_;
  std::uint64_t offset_ = 24;  // of rest_ in the file, for messages
};

// Writes a capture with nanosecond time stamps. Collects records and writes them in large pieces;
// what was not flushed is written by the destructor, whose errors nobody sees.
class PcapWriter {
 public:
  // Creates or truncates `path`. Frames are cut to `snap_bytes`.
  struct Options {
    std::string path;
    std::uint32_t snap_bytes = 65549;
  };

  [[nodiscard]] static Result<std::unique_ptr<PcapWriter>> create(const Options& options);

  PcapWriter(const PcapWriter&) = delete;
  PcapWriter& operator=(const PcapWriter&) = delete;
  ~PcapWriter();

  // Error: whatever writing the file says; the record that met it is lost.
  [[nodiscard]] Result<void> write(std::int64_t timestamp_ns, ConstByteSpan frame);
  [[nodiscard]] Result<void> flush();

 private:
  PcapWriter(const Options& options, os::Fd file);
  ByteSpan append(std::size_t bytes);

  Options options_;
  os::Fd file_;
  std::vector<std::byte> pending_;
};

}  // namespace aoe::net

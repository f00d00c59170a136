#include "net/pcap_file.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace aoe::net {
namespace {

constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kRecordHeaderBytes = 16;
constexpr std::uint32_t kMagicMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kMagicPcapng = 0x0A0D0D0A;
constexpr std::uint16_t kVersionMajor = 2;
constexpr std::uint16_t kVersionMinor = 4;
constexpr std::uint32_t kLinkTypeEthernet = 1;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kFlushBytes = std::size_t{256} << 10U;

}  // namespace

Result<PcapReader> PcapReader::open(ConstByteSpan file) {
  if (file.size() >= 4 && load_be32(file, 0) == kMagicPcapng) {
    return fail_with(Errc::unsupported, 0,
                     "capture: this is pcapng (convert it: tcpdump -r FILE -w FILE.pcap)");
  }
  if (file.size() < kFileHeaderBytes) {
    return fail_with(Errc::corrupt, 0,
                     fmt::format("capture: not a pcap file: {} bytes (a header has {})",
                                 file.size(), kFileHeaderBytes));
  }
  const std::uint32_t as_little = load_le32(file, 0);
  const std::uint32_t as_big = load_be32(file, 0);
  const bool little = as_little == kMagicMicroseconds || as_little == kMagicNanoseconds;
  const std::uint32_t magic = little ? as_little : as_big;
  if (magic != kMagicMicroseconds && magic != kMagicNanoseconds) {
    return fail_with(Errc::corrupt, 0,
                     fmt::format("capture: not a pcap file: magic number {:08x}", as_big));
  }
  PcapReader reader(file, little ? ByteOrder::little : ByteOrder::big,
                    magic == kMagicNanoseconds ? 1 : 1000);
  // The high half carries flags about frame check sequences.
  const std::uint32_t link_type = reader.load(20) & 0xFFFFU;
  if (link_type != kLinkTypeEthernet) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("capture: link type {} (only Ethernet, {}, is understood)",
                                 link_type, kLinkTypeEthernet));
  }
  reader.rest_ = file.subspan(kFileHeaderBytes);
  return reader;
}

std::uint32_t PcapReader::load(std::size_t at) const {
  return order_ == ByteOrder::little ? load_le32(rest_, at) : load_be32(rest_, at);
}

Result<std::optional<PcapRecord>> PcapReader::next() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  const std::size_t left = rest_.size();
  const bool has_header = left >= kRecordHeaderBytes;
  const std::size_t file_bytes = has_header ? load(8) : 0;
  if (!has_header || file_bytes > left - kRecordHeaderBytes) {
    rest_ = {};
    return fail_with(Errc::corrupt, 0,
                     fmt::format("capture: record at offset {}: needs {} bytes, {} are left (was "
                                 "the file cut?)",
                                 offset_, kRecordHeaderBytes + file_bytes, left));
  }
  PcapRecord record;
  // At most 2^32 seconds and 2^32 ticks: no overflow in 64 bits.
  record.timestamp_ns = std::int64_t{load(0)} * kNsPerSecond + std::int64_t{load(4)} * ns_per_tick_;
  record.wire_bytes = load(12);
  record.frame = rest_.subspan(kRecordHeaderBytes, file_bytes);
  rest_ = rest_.subspan(kRecordHeaderBytes + file_bytes);
  offset_ += kRecordHeaderBytes + file_bytes;
  return record;
}

Result<std::unique_ptr<PcapWriter>> PcapWriter::create(const Options& options) {
  os::Fd file(::open(options.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) {
    return fail(os::os_error(errno, fmt::format("{}: create capture", options.path)));
  }
  std::unique_ptr<PcapWriter> writer(new PcapWriter(options, std::move(file)));
  // Written at once: even an empty capture can be read.
  AOE_TRY(writer->flush());
  return writer;
}

PcapWriter::PcapWriter(const Options& options, os::Fd file)
    : options_(options), file_(std::move(file)) {
  const ByteSpan header = append(kFileHeaderBytes);
  fill_zero(header);
  store_le32(header, 0, kMagicNanoseconds);
  store_le16(header, 4, kVersionMajor);
  store_le16(header, 6, kVersionMinor);
  store_le32(header, 16, options_.snap_bytes);
  store_le32(header, 20, kLinkTypeEthernet);
}

PcapWriter::~PcapWriter() {
  static_cast<void>(flush());
}

// Room for so many more bytes, valid until the next call.
ByteSpan PcapWriter::append(std::size_t bytes) {
  pending_.resize(pending_.size() + bytes);
  return ByteSpan(pending_).last(bytes);
}

Result<void> PcapWriter::write(std::int64_t timestamp_ns, ConstByteSpan frame) {
  const ConstByteSpan kept = frame.first(std::min<std::size_t>(frame.size(), options_.snap_bytes));
  const ByteSpan record = append(kRecordHeaderBytes + kept.size());
  store_le32(record, 0, static_cast<std::uint32_t>(timestamp_ns / kNsPerSecond));
  store_le32(record, 4, static_cast<std::uint32_t>(timestamp_ns % kNsPerSecond));
  store_le32(record, 8, static_cast<std::uint32_t>(kept.size()));
  store_le32(record, 12, static_cast<std::uint32_t>(frame.size()));
  copy_bytes(record.subspan(kRecordHeaderBytes), kept);
  if (pending_.size() < kFlushBytes) {
    return {};
  }
  return flush();
}

Result<void> PcapWriter::flush() {
  ConstByteSpan left = pending_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const int error = errno;
      pending_.clear();
      return fail(os::os_error(error, fmt::format("{}: write capture", options_.path)));
    }
    left = left.subspan(static_cast<std::size_t>(written));
  }
  pending_.clear();
  return {};
}

}  // namespace aoe::net

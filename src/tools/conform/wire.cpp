#include "tools/conform/wire.h"

#include "protocol/aoe_frame.h"

namespace aoe::tools::conform {

bool is_answer_to(const Bytes& question, const Bytes& answer) {
  constexpr std::size_t kSourceAt = 6;
  constexpr std::size_t kTagAt = 20;
  const auto header = protocol::parse_header(answer);
  if (!header || !header->is_response) {
    return false;
  }
  if (question.size() >= protocol::kHeaderBytes) {
    return header->tag.value == load_be32(question, kTagAt);
  }
  return question.size() >= protocol::kEthernetHeaderBytes &&
         header->source == load_mac(question, 0) &&
         header->destination == load_mac(question, kSourceAt);
}

}  // namespace aoe::tools::conform

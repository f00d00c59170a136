// Sealed requests on their way in: sessions, and copies of what was executed already.
#pragma once

#include "target/ata_executor.h"
#include "target/core_parts.h"
#include "target/handover.h"
#include "target/responder.h"

#include <cstdint>

namespace aoe::target {

// The rules are those of docs/PROTOCOL-EXTENSION.md. Every outcome is counted in the export's
// stats.seal.
class SessionKeeper {
 public:
  SessionKeeper(CoreParts& parts, Responder& responder, AtaExecutor& executor);

  // A frame with the command of hello. Answers it, or drops it.
  void handle_hello(const Arrival& arrival, Export& subject);

  // Looks at the seal of an ATA request, if it has one. True: the request is to be executed, and
  // `arrival` says in which session. False: it was dropped, or answered.
  [[nodiscard]] bool open_seal(Arrival& arrival, Export& subject);

  // The sessions of an export that has nothing in flight, for a target that follows on this one,
  // and from one before. Those of an earlier instance than ours are left out once ours was told to
  // anybody.
  void hand_over(const Export& subject, Handover& handover) const;
  void take_over(Instant now, Export& subject, const Handover& handover);

  // Looks at a frame of any other command. True: it has the seal of a session of this export, so it
  // was an ATA request until something changed its command; it was dropped. (One flipped bit makes
  // a command that edits the config string or the MAC mask of ATA.)
  [[nodiscard]] bool drop_changed_command(const Arrival& arrival, Export& subject);

 private:
  [[nodiscard]] std::uint16_t session_for(const Arrival& arrival, const protocol::Hello& hello,
                                          Export& subject);
  void send_hello(const Arrival& arrival, const Export& subject, const protocol::Hello& hello);
  void send_renew(const Arrival& arrival, Export& subject, std::uint32_t session);
  // kNone: no session of this export.
  [[nodiscard]] std::uint16_t find_session(std::uint32_t session, const Export& subject) const;
  void drop(std::uint64_t& counter);
  void note_damage(const Arrival& arrival, Export& subject);
  // False: not of a session of this export.
  [[nodiscard]] bool enter_session(Arrival& arrival, Export& subject,
                                   const protocol::SealedFrame& sealed);
  // False: a copy of what is known, or nothing that may be executed; it was dealt with.
  [[nodiscard]] bool is_new(Arrival& arrival, Export& subject);

  CoreParts& parts_;
  Responder& responder_;
  AtaExecutor& executor_;
  bool is_instance_told_ = false;
};

}  // namespace aoe::target

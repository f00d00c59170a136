#include "tools/config.h"

#include "tools/command_line.h"
#include "tools/network.h"

#include <fmt/format.h>

#include <string>

namespace aoe::tools {
namespace {

using protocol::ConfigCommand;

class ConfigStringCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "Device (e7.1, or a URI)"}, device_, Needed::yes);
    line.positional_choice(
        {"ACTION", "",
         "get it; test: is it exactly STRING?; prefix: does it start with STRING?; set it if there "
         "is none; force it"},
        action_, {"get", "test", "prefix", "set", "force"}, Needed::yes);
    line.positional({"STRING", "", "The string, up to 1024 bytes; may be empty"}, string_,
                    Needed::no);
    network_.define(line);
    line.output_option(output_);
    line.epilogue(
        "test and prefix end with status 0 when the string matches and 1 when it does not. set\n"
        "fails where another string is set already: force replaces it.");
  }

  Result<ExitStatus> run() override {
    if (string_.size() > protocol::kConfigStringBytesMax) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("config: STRING: {} bytes (at most {})", string_.size(),
                                   protocol::kConfigStringBytesMax));
    }
    if (action_ == "get" && !string_.empty()) {
      return fail_with(Errc::invalid_argument, 0, "config: get: takes no STRING");
    }
    AOE_TRY_ASSIGN(const Contact contact, find_device(device_, network_));
    if (action_ == "get") {
      AOE_TRY_ASSIGN(const auto reply, exchange(contact, ConfigCommand::read));
      AOE_TRY(print(contact, reply.string));
      return ExitStatus::ok;
    }
    if (action_ == "test" || action_ == "prefix") {
      return compare(contact);
    }
    return store(contact);
  }

 private:
  Result<client::ConfigReply> exchange(const Contact& contact, ConfigCommand command) const {
    return contact.session->config(contact.peer, command, as_byte_span(string_),
                                   contact.exchange_options());
  }

  // A target whose string does not match keeps silent (AoEr11 3.2), so silence is told from
  // absence by asking for the string afterwards.
  Result<ExitStatus> compare(const Contact& contact) const {
    client::ExchangeOptions options = contact.exchange_options();
    options.timeout = std::min(options.timeout, Duration::seconds(1));
    const auto matched = contact.session->config(
        contact.peer, action_ == "test" ? ConfigCommand::test : ConfigCommand::prefix_test,
        as_byte_span(string_), options);
    if (matched) {
      AOE_TRY(print(contact, matched->string));
      return ExitStatus::ok;
    }
    if (matched.error().code != Errc::timed_out && matched.error().code != Errc::not_found) {
      return fail(matched.error());
    }
    AOE_TRY_ASSIGN(const auto reply, contact.session->config(contact.peer, ConfigCommand::read, {},
                                                             contact.exchange_options()));
    print_error(fmt::format("aoe: {}: config string: does not match: it is \"{}\"\n",
                            to_string(contact.peer.address), printable_text(reply.string)));
    return ExitStatus::failed;
  }

  Result<ExitStatus> store(const Contact& contact) const {
    const auto stored =
        exchange(contact, action_ == "set" ? ConfigCommand::set : ConfigCommand::force_set);
    if (!stored) {
      Error error = stored.error();
      if (error.code == Errc::already_exists) {
        error.message += fmt::format(" (aoe config {} force replaces it)", device_);
      }
      return fail(std::move(error));
    }
    if (output_ == OutputFormat::json) {
      AOE_TRY(print(contact, stored->string));
    }
    return ExitStatus::ok;
  }

  Result<void> print(const Contact& contact, const std::string& string) const {
    if (output_ == OutputFormat::json) {
      return print_out(json_document({{"address", to_string(contact.peer.address)},
                                      {"config_string", string},
                                      {"config_string_hex", hex_text(string)}}));
    }
    return print_out(printable_text(string) + "\n");
  }

  NetworkOptions network_;
  std::string device_;
  std::string action_;
  std::string string_;
  OutputFormat output_ = OutputFormat::text;
};

}  // namespace

std::unique_ptr<Command> make_config_command() {
  return std::make_unique<ConfigStringCommand>();
}

}  // namespace aoe::tools

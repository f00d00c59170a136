#include "control/message.h"

#include "control/params.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::control {
namespace {

TEST(ControlMessage, RequestRoundTripKeepsIdMethodAndParams) {
  const Request request{7, "target.show", {{"address", "e7.1"}}};
  const std::string line = format_request(request);
  ASSERT_TRUE(line.ends_with('\n'));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = parse_request(line);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->id, 7);
  EXPECT_EQ(parsed->method, "target.show");
  EXPECT_EQ(parsed->params, request.params);
}

TEST(ControlMessage, ParamsMayBeLeftOutAndIdMayBeText) {
  const auto parsed = parse_request(R"({"version":1,"id":"a","method":"m","new":[]})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->id, "a");
  EXPECT_EQ(parsed->params, Json::object());
}

struct BadRequest {
  const char* line;
  Errc code;
  Json id;
  const char* message_part;
};

TEST(ControlMessage, EveryBadRequestHasItsErrorAndItsIdWhereThereIsOne) {
  const std::string deep =
      R"({"version":1,"id":1,"method":"m","params":{"a":)" + std::string(100'000, '[') + "}}";
  const BadRequest cases[] = {
      {"", Errc::invalid_argument, nullptr, "not a JSON object"},
      {"hello", Errc::invalid_argument, nullptr, "not a JSON object"},
      {"[1]", Errc::invalid_argument, nullptr, "not a JSON object"},
      {R"({"version":1,"id":1,"method":"m")", Errc::invalid_argument, nullptr, "not a JSON"},
      {"{\"version\":1,\"id\":1,\"method\":\"\xff\"}", Errc::invalid_argument, nullptr,
       "not a JSON"},
      {deep.c_str(), Errc::invalid_argument, nullptr, "not a JSON object"},
      {R"({"version":1,"method":"m"})", Errc::invalid_argument, nullptr, "id: missing"},
      {R"({"version":1,"id":{},"method":"m"})", Errc::invalid_argument, nullptr, "id: neither"},
      {R"({"version":1,"id":1.5,"method":"m"})", Errc::invalid_argument, nullptr, "id: neither"},
      {R"({"version":2,"id":3,"method":"m"})", Errc::unsupported, 3, "version 1"},
      {R"({"id":3,"method":"m"})", Errc::unsupported, 3, "version 1"},
      {R"({"version":"1","id":3,"method":"m"})", Errc::unsupported, 3, "version 1"},
      {R"({"version":1,"id":4})", Errc::invalid_argument, 4, "method: missing"},
      {R"({"version":1,"id":4,"method":5})", Errc::invalid_argument, 4, "method: missing"},
      {R"({"version":1,"id":5,"method":"m","params":[]})", Errc::invalid_argument, 5, "params"},
  };
  for (const BadRequest& bad : cases) {
    const auto parsed = parse_request(bad.line);
    ASSERT_FALSE(parsed.has_value()) << bad.line;
    EXPECT_EQ(parsed.error().error.code, bad.code) << bad.line;
    EXPECT_EQ(parsed.error().id, bad.id) << bad.line;
    EXPECT_NE(parsed.error().error.message.find(bad.message_part), std::string::npos)
        << parsed.error().error.message;
  }
}

TEST(ControlMessage, BracketsInsideTextsDoNotCountAsNesting) {
  const std::string brackets(1000, '[');
  EXPECT_TRUE(parse_request(R"({"version":1,"id":1,"method":"\")" + brackets + R"("})"));
}

TEST(ControlMessage, ResultErrorAndEventRoundTrip) {
  const auto result = parse_message(format_result(9, {{"a", 1}}));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->kind, Message::Kind::result);
  EXPECT_EQ(result->id, 9);
  EXPECT_EQ(result->body, (Json{{"a", 1}}));

  const auto error = parse_message(format_error(9, {Errc::busy, 0, "e7.1: in use"}));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, Message::Kind::error);
  EXPECT_EQ(error->error.code, Errc::busy);
  EXPECT_EQ(error->error.message, "e7.1: in use");

  const auto event = parse_message(format_event({{"type", "x"}}));
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->kind, Message::Kind::event);
  EXPECT_EQ(event->body, (Json{{"type", "x"}}));
}

TEST(ControlMessage, BytesThatAreNoTextAreReplacedAndNotThrown) {
  const std::string line = format_result(1, {{"config", "\xff\xfe"}});
  EXPECT_TRUE(parse_message(line).has_value());
}

TEST(ControlMessage, EveryCodeSurvivesItsName) {
  for (int i = 0; i <= static_cast<int>(Errc::unavailable); ++i) {
    const auto code = static_cast<Errc>(i);
    EXPECT_EQ(errc_from_name(errc_name(code)), code) << errc_name(code);
  }
  EXPECT_EQ(errc_from_name("from_the_future"), Errc::io);
}

TEST(ControlMessage, AnswersThatAreNoneAreCorrupt) {
  for (const char* line : {"", "{}x", R"({"version":1,"id":1})", R"({"version":1,"error":{}})",
                           R"({"version":1,"error":{"code":1,"message":"m"}})"}) {
    const auto parsed = parse_message(line);
    ASSERT_FALSE(parsed.has_value()) << line;
    EXPECT_EQ(parsed.error().code, Errc::corrupt) << line;
  }
  EXPECT_EQ(parse_message(R"({"version":9,"result":1})").error().code, Errc::unsupported);
}

TEST(ControlParams, NameTheParameterThatIsWrong) {
  const Json params = {{"address", "7.300"}, {"size", -1}, {"force", 1}, {"store", 5}};
  for (const auto& message :
       {address_param(params, "address").error().message,
        optional_number_param(params, "size").error().message,
        flag_param(params, "force").error().message, text_param(params, "store").error().message,
        text_param(params, "absent").error().message}) {
    EXPECT_TRUE(message.starts_with("params: ")) << message;
  }
  EXPECT_NE(address_param(params, "address").error().message.find("7.300"), std::string::npos);
}

TEST(ControlParams, ReadWhatIsThereAndLeaveWhatIsNot) {
  const Json params = {{"address", "e7.1"}, {"size", 5}, {"force", true}, {"store", nullptr}};
  EXPECT_EQ(address_param(params, "address").value(), (DeviceAddress{Shelf{7}, Slot{1}}));
  EXPECT_EQ(optional_number_param(params, "size").value(), 5U);
  EXPECT_TRUE(flag_param(params, "force").value());
  EXPECT_FALSE(flag_param(params, "absent").value());
  EXPECT_EQ(optional_text_param(params, "store").value(), std::nullopt);
}

}  // namespace
}  // namespace aoe::control

#include <gtest/gtest.h>
#include <sluice/nice/ice_options.h>

#include <functional>
#include <string>
#include <string_view>

namespace sluice::nice {
namespace {

TEST(IceOptions, DefaultsAreGood) { EXPECT_TRUE(check(IceOptions{}).has_value()); }

TEST(IceOptions, NameTheFieldThatIsWrong) {
  struct Case {
    std::string_view field;
    std::function<void(IceOptions&)> spoil;
  };
  const Case cases[] = {
      {"stun_server", [](IceOptions& o) { o.stun_server = StunServer{}; }},
      {"turn_servers", [](IceOptions& o) { o.turn_servers.resize(1); }},
      {"turn_servers",
       [](IceOptions& o) { o.turn_servers.assign(9, TurnServer{.host = "192.0.2.1"}); }},
      {"relay_only", [](IceOptions& o) { o.relay_only = true; }},
      {"local_addresses", [](IceOptions& o) { o.local_addresses = {"localhost"}; }},
      {"local_addresses", [](IceOptions& o) { o.local_addresses.assign(65, "192.0.2.1"); }},
      {"min_port", [](IceOptions& o) { o.max_port = 5; }},
      {"max_port",
       [](IceOptions& o) {
         o.min_port = 6;
         o.max_port = 5;
       }},
      {"pacing", [](IceOptions& o) { o.pacing = std::chrono::milliseconds{0}; }},
      {"timeout", [](IceOptions& o) { o.timeout = std::chrono::milliseconds{-1}; }},
  };
  for (const auto& [field, spoil] : cases) {
    IceOptions options;
    spoil(options);
    const auto good = check(options);
    ASSERT_FALSE(good.has_value()) << field;
    EXPECT_EQ(good.error().code, TransportErrc::invalid_options);
    EXPECT_EQ(good.error().detail, field);
  }
}

// RFC 8839 section 5.4.
TEST(IceCredentials, HaveTheirLengthsAndCharacters) {
  const std::string pwd(22, 'p');
  EXPECT_TRUE(check(IceCredentials{.ufrag = "ab+/", .pwd = pwd}).has_value());
  // Base64 of other kinds, as some peers write it.
  EXPECT_TRUE(check(IceCredentials{.ufrag = "a-_=#", .pwd = pwd + "-_=#"}).has_value());
  EXPECT_TRUE(check(IceCredentials{.ufrag = std::string(256, 'u'), .pwd = std::string(256, 'p')}));
  for (const auto& bad :
       {IceCredentials{.ufrag = "abc", .pwd = pwd}, IceCredentials{.ufrag = "ab:d", .pwd = pwd},
        IceCredentials{.ufrag = std::string(257, 'u'), .pwd = pwd},
        IceCredentials{.ufrag = "abcd", .pwd = std::string(21, 'p')},
        IceCredentials{.ufrag = "abcd", .pwd = std::string(257, 'p')}}) {
    const auto good = check(bad);
    ASSERT_FALSE(good.has_value()) << bad.ufrag;
    EXPECT_EQ(good.error().code, TransportErrc::invalid_credentials);
  }
}

}  // namespace
}  // namespace sluice::nice

// Seeds of lite_state_fuzz: sessions of an IceLiteServer at several times.
#include "fuzz/seeds.h"
#include "support/ice_world.h"

namespace sluice::fuzz {

using namespace std::chrono_literals;
using test::must;

void lite_state_seeds() {
  for (const auto version : {dtls::ProtocolVersion::dtls12, dtls::ProtocolVersion::dtls13}) {
    for (const bool has_more : {false, true}) {
      auto options = test::options_for(version);
      options.return_routability = dtls::ReturnRoutability::none;
      test::IceWorld world({.dtls = options});
      const auto session = world.begin(
          {.candidates = {test::address(1, 5000), test::address(2, 5000)}, .is_aggressive = true});
      world.run_for(3s);
      if (has_more) {
        static_cast<void>(world.clients[0]->send_rtp(test::make_rtp()));
        world.flush(0);
        world.send_rtp(session, test::make_rtp({.ssrc = 2}));
        world.run_for(1s);
        static_cast<void>(
            must(world.server.restart_ice(session, {.remote_ufrag = "again"}, world.now)));
      }
      const std::string name = version == dtls::ProtocolVersion::dtls13 ? "dtls13" : "dtls12";
      write("lite_state_fuzz", name + (has_more ? "_restart" : ""),
            must(world.server.export_session(session, world.now)).bytes());
    }
  }
}

}  // namespace sluice::fuzz
